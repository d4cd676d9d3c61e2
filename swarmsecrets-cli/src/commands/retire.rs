//! `swarmsecrets retire`

use serde::Serialize;
use swarmsecrets_core::plan::Warning;
use swarmsecrets_core::rotation::Report;

use super::carry::Carrier;
use crate::app::App;
use crate::args::RetireArgs;
use crate::exit::{Exit, Failure};
use crate::report_text;

/// What `retire --json` prints.
#[derive(Serialize)]
struct Retirement<'a> {
    schema: u32,
    simulated: bool,
    /// The versions that were removed.
    retired: &'a [String],
    /// Every rotation that was looked at, those whose old version is kept yet included.
    rotations: &'a [Report],
    requests: u64,
}

/// Removes the old versions whose grace is over.
pub(super) async fn run(app: &App, args: RetireArgs) -> Result<Exit, Failure> {
    let carrier = Carrier::new(app, &args.change, args.reason.clone()).await?;
    let word = carrier.ask("Delete the replaced versions whose grace period is over?")?;
    let simulated = carrier.world.simulated();
    let result = carrier.executor(word).retire().await;
    let mut known = Vec::new();
    for report in result.iter().flatten() {
        known.extend(carrier.warned_of(report).await);
    }
    let retired = carrier.end().await?;
    tell(app, simulated, &retired, &known, &result?)
}

/// Prints what was retired, and says how the command ends.
pub(super) fn tell(
    app: &App,
    simulated: bool,
    retired: &[String],
    known: &[Warning],
    rotations: &[Report],
) -> Result<Exit, Failure> {
    let requests = rotations.iter().map(|r| r.requests).max().unwrap_or_default();
    let all = Retirement { schema: 1, simulated, retired, rotations, requests };
    if app.console.json {
        app.console.document(&all)?;
    } else {
        app.console.text(&text(&all, known))?;
    }
    Ok(worst(rotations))
}

fn text(all: &Retirement<'_>, known: &[Warning]) -> String {
    let simulated = if all.simulated { " (SIMULATED)" } else { "" };
    let mut out = match all.retired {
        [] => format!("nothing was retired{simulated}\n"),
        names => format!("retired{simulated}: {}\n", names.join(", ")),
    };
    for report in all.rotations {
        out.push_str(&report_text::text(report, known));
    }
    out
}

/// How the command ends: as the rotation that needs most attention.
fn worst(rotations: &[Report]) -> Exit {
    rotations.iter().map(|r| report_text::exit(r.outcome)).max_by_key(|exit| exit.code()).unwrap_or(Exit::Done)
}
