//! `swarmsecrets inventory`

use swarmsecrets_core::inventory::{self, Inventory};

use crate::app::App;
use crate::args::{Format, InventoryArgs};
use crate::exit::{Exit, Failure};
use crate::settings::Intent;
use crate::world::World;
use crate::{inventory_table, narrow};

/// Shows the usage graph.
pub(super) async fn run(app: &App, args: InventoryArgs) -> Result<Exit, Failure> {
    let world = World::open(app, Intent::Read)?;
    let mut inventory = world.inventory().await?;
    if !args.secret.is_empty() {
        narrow::to_names(&mut inventory, &args.secret)?;
    }
    if let Some(limit) = args.older_than {
        narrow::to_old(&mut inventory, limit);
    }
    show(app, &args, &inventory)?;
    Ok(Exit::Done)
}

fn show(app: &App, args: &InventoryArgs, inventory: &Inventory) -> Result<(), Failure> {
    let console = &app.console;
    if console.json {
        return console.json_text(&inventory.to_json());
    }
    match args.format {
        Format::Dot => console.text(&inventory.draw(inventory::Format::Dot)),
        Format::Svg => console.text(&inventory.draw(inventory::Format::Svg)),
        Format::Mermaid => console.text(&inventory.draw(inventory::Format::Mermaid)),
        Format::Table | Format::Json if args.services => {
            console.text(&inventory_table::services(inventory, console.width))
        }
        Format::Table | Format::Json => console.text(&inventory_table::secrets(inventory, console.width)),
    }
}
