//! `swarmsecrets apply`

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use swarmsecrets_core::approval::ChangeRequest;
use swarmsecrets_core::executor::Attempt;
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
    let what = match read(&args.plan) {
        Ok(what) => what,
        Err(Unread::Missing(failure)) => return Err(failure),
        Err(Unread::Refused { document, error }) => {
            // It is refused either way; where the records can be opened, they say so.
            if let Ok(carrier) = Carrier::new(app, &args.change, args.reason.clone()).await {
                carrier.tell_refused(Attempt::Document(&document), &error).await?;
            }
            return Err(Failure::input(error));
        }
    };
    let plan = what.plan();
    let reason = args.reason.clone().or_else(|| plan.reason.clone());
    let carrier = Carrier::new(app, &args.change, reason)
        .await?
        .with(&args.credentials)?
        .asking(&args.probes)?
        .fetching(&args.sources)?
        .knowing_values()?;
    if args.probes.probes.is_some() && plan.consumers.iter().all(|c| c.probes.is_empty()) {
        return Err(Failure::usage("the plan asks no probe: make it again with --probes, or leave --probes out here"));
    }
    let values = request::values(&args.value_file, plan, &app.console)?;
    values.check(plan).map_err(Failure::input)?;
    match what {
        What::Plan(_) if args.sign.key.is_some() => Err(Failure::usage(
            "--key approves a change request, and this is a plan: give the request, or leave it out",
        )),
        What::Plan(plan) => carrier.apply(&plan, values).await,
        What::Request(request) => {
            carrier.sign_here(&request, &args.sign).await?;
            carrier.apply_request(*request, values).await
        }
    }
}

/// What may be carried out.
pub(super) enum What {
    Plan(Box<Plan>),
    Request(Box<ChangeRequest>),
}

impl What {
    pub(super) fn plan(&self) -> &Plan {
        match self {
            Self::Plan(plan) => plan,
            Self::Request(request) => &request.plan,
        }
    }
}

/// Why nothing can be carried out.
pub(super) enum Unread {
    /// There is no file, or it cannot be read.
    Missing(Failure),
    /// What stands there cannot be believed.
    Refused { document: Vec<u8>, error: Error },
}

pub(super) fn read(path: &Path) -> Result<What, Unread> {
    /// What tells a change request from a plan.
    #[derive(Deserialize)]
    struct Marked {
        nonce: Option<serde::de::IgnoredAny>,
    }
    let place = format!("the plan {}", quoted(&path.to_string_lossy()));
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_PLAN_BYTES).read_to_end(&mut bytes))
        .map_err(|e| Error::new(ErrorKind::Io, format!("cannot read {place}: {e}")))
        .map_err(|error| Unread::Missing(Failure::input(error)))?;
    let marked: Option<Marked> = serde_json::from_slice(&bytes).ok();
    let read = match marked.is_some_and(|marked| marked.nonce.is_some()) {
        true => ChangeRequest::from_json(&bytes).map(|request| What::Request(Box::new(request))),
        false => Plan::from_json(&bytes).map(|plan| What::Plan(Box::new(plan))),
    };
    read.map_err(|e| Unread::Refused { error: e.context(place), document: bytes })
}
