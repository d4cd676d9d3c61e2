//! `swarmsecrets create`

use swarmsecrets_core::ids::SecretName;
use swarmsecrets_core::plan::{CreateRequest, plan_create};

use super::carry::Carrier;
use crate::app::App;
use crate::args::CreateArgs;
use crate::exit::{Exit, Failure};
use crate::request;

/// Creates the first version of a secret.
pub(super) async fn run(app: &App, args: CreateArgs) -> Result<Exit, Failure> {
    SecretName::new(&args.name).map_err(Failure::input)?;
    let carrier = Carrier::new(app, &args.change, args.reason.clone()).await?.fetching(&args.value.sources)?;
    let recipe = request::required_recipe(&args.value, &carrier.sources).await?;
    let files = args.value.value_file;
    let wanted = CreateRequest {
        name: args.name,
        recipe,
        labels: args.labels.into_iter().collect(),
        reason: args.reason,
        agent: carrier.world.agent().map(str::to_owned),
    };
    let planned = carrier
        .world
        .inventory()
        .await
        .and_then(|inventory| carrier.world.judged(plan_create(&inventory, &wanted)?, &inventory));
    match planned {
        Ok(plan) => {
            let values = request::values(&files, &plan, &app.console)?;
            carrier.apply(&plan, values).await
        }
        Err(error) => carrier.report(None, Err(error)).await,
    }
}
