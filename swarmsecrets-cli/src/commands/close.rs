//! `swarmsecrets close`

use swarmsecrets_core::ids::RotationId;

use super::carry::Carrier;
use crate::app::App;
use crate::args::CloseArgs;
use crate::exit::{Exit, Failure};

/// Ends a rotation where it stands.
pub(super) async fn run(app: &App, args: CloseArgs) -> Result<Exit, Failure> {
    let id = RotationId::new(&args.id).map_err(Failure::input)?;
    if args.reason.trim().is_empty() {
        return Err(Failure::usage("--reason is empty: say what was seen to"));
    }
    let carrier = Carrier::new(app, &args.change, Some(args.reason.clone())).await?;
    let word = carrier.ask(&format!("End rotation {id} where it stands?"))?;
    let result = carrier.executor(word).close(&id, &args.reason).await;
    let closed = result.is_ok();
    let exit = carrier.report_on(&id, result).await?;
    // That a person must look was said before, and one has.
    Ok(if closed { Exit::Done } else { exit })
}
