//! `swarmsecrets rotate` and `swarmsecrets revoke`

use swarmsecrets_client::Wanted;

use super::carry::Carrier;
use crate::app::App;
use crate::args::{RevokeArgs, RotateArgs, ValueArgs};
use crate::exit::{Exit, Failure};
use crate::request;

/// Plans and carries out a rotation.
pub(super) async fn rotate(app: &App, args: RotateArgs) -> Result<Exit, Failure> {
    request::check_values(&args.secrets, &args.value, true)?;
    request::check_rotation(&args.rotation, &args.credentials)?;
    let carrier = Carrier::new(app, &args.change, args.rotation.reason.clone()).await?;
    let carrier = carrier.with(&args.credentials)?.asking(&args.probes)?.fetching(&args.value.sources)?;
    carry(carrier, app, request::rotation(&args.secrets, &args.value, &args.rotation)?, &args.value).await
}

/// Plans and carries out a revocation.
pub(super) async fn revoke(app: &App, args: RevokeArgs) -> Result<Exit, Failure> {
    request::check_values(&args.secrets, &args.value, true)?;
    request::check_times(args.stability, args.deadline)?;
    let carrier = Carrier::new(app, &args.change, args.reason.clone()).await?;
    let carrier = carrier.with(&args.credentials)?.asking(&args.probes)?.fetching(&args.value.sources)?;
    carry(carrier, app, request::revocation(&args)?, &args.value).await
}

async fn carry(carrier: Carrier<'_>, app: &App, wanted: Wanted, value: &ValueArgs) -> Result<Exit, Failure> {
    let carrier = carrier.knowing_values()?;
    match carrier.plan(wanted).await {
        Ok(plan) => {
            let values = request::values(&value.value_file, &plan, &app.console)?;
            carrier.apply(&plan, values).await
        }
        Err(error) => carrier.report(None, Err(error)).await,
    }
}
