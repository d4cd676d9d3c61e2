//! `swarmsecrets rollback`

use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::rotation::Outcome;

use super::carry::Carrier;
use crate::app::App;
use crate::args::RollbackArgs;
use crate::exit::{Exit, Failure};

/// Puts a rotation back.
pub(super) async fn run(app: &App, args: RollbackArgs) -> Result<Exit, Failure> {
    let id = RotationId::new(&args.id).map_err(Failure::input)?;
    let carrier = Carrier::new(app, &args.change, args.reason.clone()).await?.with(&args.credentials)?;
    let word = carrier.ask(&format!("Put every consumer of rotation {id} back on the version before?"))?;
    let reason = args.reason.as_deref().unwrap_or("a person asked for it");
    let result = carrier.executor(word).rollback(&id, reason).await;
    let undone = result.as_ref().is_ok_and(|report| report.outcome == Outcome::RolledBack);
    let exit = carrier.report_on(&id, result).await?;
    // Undone is what was asked for here, while for `rotate` it is a failure.
    Ok(if undone { Exit::Done } else { exit })
}
