//! `swarmsecrets apply`

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use swarmsecrets_core::approval::ChangeRequest;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::{Error, ErrorKind};

use super::carry::Carrier;
use crate::app::App;
use crate::args::ApplyArgs;
use crate::exit::{Exit, Failure};
use crate::request;

/// A plan for ten thousand services has about ten megabytes.
const MAX_PLAN_BYTES: u64 = 256 << 20;

/// Carries out a plan that was made before.
pub(super) async fn run(app: &App, args: ApplyArgs) -> Result<Exit, Failure> {
    let what = read(&args.plan)?;
    let plan = what.plan();
    let reason = args.reason.clone().or_else(|| plan.reason.clone());
    let carrier = Carrier::new(app, &args.change, reason)
        .await?
        .with(&args.credentials)?
        .asking(&args.probes)?
        .fetching(&args.sources)?;
    if args.probes.probes.is_some() && plan.consumers.iter().all(|c| c.probes.is_empty()) {
        return Err(Failure::usage("the plan asks no probe: make it again with --probes, or leave --probes out here"));
    }
    let values = request::values(&args.value_file, plan, &app.console)?;
    values.check(plan).map_err(Failure::input)?;
    match what {
        What::Plan(plan) => carrier.apply(&plan, values).await,
        What::Request(request) => carrier.apply_request(*request, values).await,
    }
}

/// What may be carried out.
enum What {
    Plan(Box<Plan>),
    Request(Box<ChangeRequest>),
}

impl What {
    fn plan(&self) -> &Plan {
        match self {
            Self::Plan(plan) => plan,
            Self::Request(request) => &request.plan,
        }
    }
}

fn read(path: &Path) -> Result<What, Failure> {
    /// What tells a change request from a plan.
    #[derive(Deserialize)]
    struct Marked {
        nonce: Option<serde::de::IgnoredAny>,
    }
    let place = format!("the plan {}", quoted(&path.to_string_lossy()));
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_PLAN_BYTES).read_to_end(&mut bytes))
        .map_err(|e| Failure::input(Error::new(ErrorKind::Io, format!("cannot read {place}: {e}"))))?;
    let marked: Option<Marked> = serde_json::from_slice(&bytes).ok();
    let read = match marked.is_some_and(|marked| marked.nonce.is_some()) {
        true => ChangeRequest::from_json(&bytes).map(|request| What::Request(Box::new(request))),
        false => Plan::from_json(&bytes).map(|plan| What::Plan(Box::new(plan))),
    };
    read.map_err(|e| Failure::input(e.context(place)))
}
