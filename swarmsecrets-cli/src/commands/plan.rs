//! `swarmsecrets plan rotate`

use std::path::Path;

use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::{Error, ErrorKind};

use crate::app::App;
use crate::args::PlanRotateArgs;
use crate::exit::{Exit, Failure};
use crate::settings::Intent;
use crate::sourced::sources;
use crate::world::World;
use crate::{plan_text, request};

/// Makes a plan and shows it.
pub(super) async fn run(app: &App, args: PlanRotateArgs) -> Result<Exit, Failure> {
    request::check_values(&args.secrets, &args.value, false)?;
    request::check_rotation(&args.rotation, &args.credentials)?;
    let world = World::open(app, Intent::Read)?.under(app, &args.policy)?;
    let credentials = request::credentials(&args.credentials, &app.console)?;
    let probes = request::probes(&args.probes)?;
    let sources = sources(&args.value.sources)?;
    let wanted = request::rotation(&args.secrets, &args.value, &args.rotation)?;
    let plan = world.plan(wanted, &credentials, &probes, &sources).await?;
    // The values do not enter the plan, but one that Swarm would refuse is better known now.
    drop(request::values(&args.value.value_file, &plan, &app.console)?);
    show(app, &args, &plan)?;
    Ok(Exit::Done)
}

/// Shows a plan, and keeps it if that is asked.
pub(super) fn show(app: &App, args: &PlanRotateArgs, plan: &Plan) -> Result<(), Failure> {
    if let Some(path) = &args.out {
        write(plan, path)?;
        app.console.note(&format!("the plan is in {}: `swarmsecrets apply` takes it", path.display()));
    }
    if app.console.json {
        app.console.document(plan)?;
    } else {
        app.console.text(&plan_text::diff(plan, app.console.colour))?;
    }
    Ok(())
}

fn write(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let wrong = |e: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Io, format!("cannot write the plan to {}: {e}", quoted(&path.to_string_lossy())))
    };
    let mut text = serde_json::to_vec_pretty(plan).map_err(|e| wrong(&e))?;
    text.push(b'\n');
    std::fs::write(path, text).map_err(|e| wrong(&e))?;
    Ok(())
}
