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
    let wanted = request::first(&args)?;
    let carrier = Carrier::new(app, &args.change, args.reason.clone()).await?;
    let carrier = carrier.fetching(&args.value.sources)?.knowing_values()?;
    let plan = async || {
        let agent = carrier.world.agent().map(str::to_owned);
        let wanted = CreateRequest { agent, ..wanted.request(&carrier.sources).await? };
        let inventory = carrier.world.inventory().await?;
        carrier.world.judged(plan_create(&inventory, &wanted)?, &inventory)
    };
    match plan().await {
        Ok(plan) => {
            let values = request::values(&args.value.value_file, &plan, &app.console)?;
            carrier.apply(&plan, values).await
        }
        Err(error) => carrier.report(None, Err(error)).await,
    }
}
