//! `swarmsecrets rotate`

use swarmsecrets_core::plan::plan_rotation;

use super::carry::Carrier;
use crate::app::App;
use crate::args::RotateArgs;
use crate::exit::{Exit, Failure};
use crate::request;

/// Plans and carries out a rotation.
pub(super) async fn run(app: &App, args: RotateArgs) -> Result<Exit, Failure> {
    let name = request::one(&args.names)?;
    let recipe = request::required_recipe(&args.value)?;
    let wanted = request::rotation(name, recipe, &args.rotation, None)?;
    let carrier = Carrier::new(app, &args.change, args.rotation.reason.clone())?;
    let value = request::value(&args.value, &app.console)?;
    let wanted = carrier.world.signed(wanted);
    let planned = carrier.world.inventory().await.and_then(|inventory| plan_rotation(&inventory, &wanted));
    match planned {
        Ok(plan) => carrier.apply(&plan, value).await,
        Err(error) => carrier.report(None, Err(error)).await,
    }
}
