//! `swarmsecrets plan rotate`

use std::path::Path;

use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::plan::{Plan, RotationRequest};
use swarmsecrets_core::{Error, ErrorKind};

use crate::app::App;
use crate::args::PlanRotateArgs;
use crate::exit::{Exit, Failure};
use crate::settings::Intent;
use crate::sourced::sources;
use crate::world::World;
use crate::{plan_text, request};

/// Makes a plan and shows it.
pub(super) async fn run(app: &App, args: PlanRotateArgs) -> Result<Exit, Failure> {
    request::check_values(&args.secrets, &args.value, false)?;
    request::check_rotation(&args.rotation, &args.credentials)?;
    let world = World::open(app, Intent::Read)?.under(app, &args.policy)?;
    let credentials = request::credentials(&args.credentials, &app.console)?;
    let probes = request::probes(&args.probes)?;
    let sources = sources(&args.value.sources)?;
    let inventory = world.inventory().await?;
    let secrets = request::secrets(&inventory, &args.secrets, &args.value, &sources).await?;
    let wanted = world.signed(request::rotation(secrets, &args.rotation, &credentials));
    let wanted = RotationRequest { probes: world.probes(&probes)?.requested(), ..wanted };
    let plan = world.plan(&inventory, &wanted).await?;
    // The values do not enter the plan, but one that Swarm would refuse is better known now.
    drop(request::values(&args.value.value_file, &plan, &app.console)?);
    if let Some(path) = &args.out {
        write(&plan, path)?;
        app.console.note(&format!("the plan is in {}: `swarmsecrets apply` takes it", path.display()));
    }
    if app.console.json {
        app.console.document(&plan)?;
    } else {
        app.console.text(&plan_text::diff(&plan, app.console.colour))?;
    }
    Ok(Exit::Done)
}

fn write(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let wrong = |e: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Io, format!("cannot write the plan to {}: {e}", quoted(&path.to_string_lossy())))
    };
    let mut text = serde_json::to_vec_pretty(plan).map_err(|e| wrong(&e))?;
    text.push(b'\n');
    std::fs::write(path, text).map_err(|e| wrong(&e))?;
    Ok(())
}
