//! `swarmsecrets rotate` and `swarmsecrets revoke`

use swarmsecrets_core::Error;
use swarmsecrets_core::plan::{Plan, RotationRequest, ValueRecipe};
use swarmsecrets_settings::Credentials;

use super::carry::Carrier;
use crate::app::App;
use crate::args::{RevokeArgs, RotateArgs, SecretArgs, ValueArgs};
use crate::exit::{Exit, Failure};
use crate::request;

/// Plans and carries out a rotation.
pub(super) async fn rotate(app: &App, args: RotateArgs) -> Result<Exit, Failure> {
    request::check_values(&args.secrets, &args.value, true)?;
    request::check_rotation(&args.rotation, &args.credentials)?;
    let carrier = Carrier::new(app, &args.change, args.rotation.reason.clone()).await?;
    let carrier = carrier.with(&args.credentials)?.asking(&args.probes)?.fetching(&args.value.sources)?;
    let wanted = |secrets, credentials: &Credentials| request::rotation(secrets, &args.rotation, credentials);
    carry(carrier, app, &args.secrets, &args.value, wanted).await
}

/// Plans and carries out a revocation.
pub(super) async fn revoke(app: &App, args: RevokeArgs) -> Result<Exit, Failure> {
    request::check_values(&args.secrets, &args.value, true)?;
    request::check_times(args.stability, args.deadline)?;
    let carrier = Carrier::new(app, &args.change, args.reason.clone()).await?;
    let carrier = carrier.with(&args.credentials)?.asking(&args.probes)?.fetching(&args.value.sources)?;
    let wanted = |secrets, credentials: &Credentials| request::revocation(secrets, &args, credentials);
    carry(carrier, app, &args.secrets, &args.value, wanted).await
}

async fn carry(
    carrier: Carrier<'_>,
    app: &App,
    secrets: &SecretArgs,
    value: &ValueArgs,
    wanted: impl FnOnce(Vec<(String, ValueRecipe)>, &Credentials) -> RotationRequest,
) -> Result<Exit, Failure> {
    let carrier = carrier.knowing_values()?;
    let probes = carrier.probes()?.requested();
    let plan = async || -> Result<Plan, Error> {
        let inventory = carrier.world.inventory().await?;
        let secrets = request::secrets(&inventory, secrets, value, &carrier.sources).await?;
        let wanted = carrier.world.signed(wanted(secrets, &carrier.credentials));
        carrier.world.plan(&inventory, &RotationRequest { probes, ..wanted }).await
    };
    match plan().await {
        Ok(plan) => {
            let values = request::values(&value.value_file, &plan, &app.console)?;
            carrier.apply(&plan, values).await
        }
        Err(error) => carrier.report(None, Err(error)).await,
    }
}
