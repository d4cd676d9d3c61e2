//! `swarmsecrets resume`

use swarmsecrets_core::executor::{Executor, Supply, Values};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::rotation::{Stage, State};
use swarmsecrets_core::{Error, ErrorKind, Result};

use super::carry::Carrier;
use crate::app::App;
use crate::args::ResumeArgs;
use crate::exit::{Exit, Failure};
use crate::request;
use crate::world::random;

/// Goes on with a rotation.
pub(super) async fn run(app: &App, args: ResumeArgs) -> Result<Exit, Failure> {
    let given = args.id.as_deref().map(RotationId::new).transpose().map_err(Failure::input)?;
    let carrier = Carrier::new(app, &args.change, None)
        .await?
        .with(&args.credentials)?
        .asking(&args.probes)?
        .fetching(&args.sources)?
        .knowing_values()?;
    let id = match given {
        Some(id) => id,
        None => {
            let found = the_one(&carrier.executor(Word::NotGiven), &carrier).await;
            match found {
                Ok(id) => id,
                Err(error) => return carrier.report(None, Err(error)).await,
            }
        }
    };
    let word = carrier.ask(&format!("Go on with rotation {id}?"))?;
    // Without a journal the executor says so. One that cannot be read now may be readable in a moment: then a value that was
    // given would not be used, and the rotation would end for the lack of it.
    let values = match carrier.plan_of(&id).await {
        Ok(Some(plan)) => request::values(&args.value_file, &plan, &app.console)?,
        Ok(None) => Values::none(),
        Err(error) => return carrier.report_on(&id, Err(error)).await,
    };
    let mut random = random();
    let mut supply = Supply { values, random: &mut *random };
    let executor = carrier.executor(word).with_probes(carrier.probes()?);
    let executor = if args.accept_inconclusive { executor.accepting_inconclusive() } else { executor };
    let result = executor.resume(&id, &mut supply).await;
    drop(executor);
    carrier.report_on(&id, result).await
}

/// The rotation that is meant where none is named.
async fn the_one(executor: &Executor<'_>, carrier: &Carrier<'_>) -> Result<RotationId> {
    let world = carrier.world.inventory().await?;
    let here = |s: &State| {
        let plan = &s.plan;
        plan.environment == world.environment && plan.cluster == world.cluster && plan.simulated == world.simulated
    };
    let open: Vec<State> = executor.unfinished().await?.into_iter().filter(here).collect();
    // One that waits for its grace to pass has nothing to go on with, unless there is no other.
    let (waiting, halfway): (Vec<State>, Vec<State>) = open.into_iter().partition(|s| s.stage == Stage::Grace);
    match (halfway.as_slice(), waiting.last()) {
        ([one], _) => Ok(one.rotation.clone()),
        ([], Some(last)) => Ok(last.rotation.clone()),
        ([], None) => the_lost_one(executor).await,
        (several, _) => Err(Error::new(
            ErrorKind::Invalid,
            format!("several rotations are not finished, name one: {}", listed(several)),
        )),
    }
}

/// The rotation that can be seen in the world, where no journal tells of one.
async fn the_lost_one(executor: &Executor<'_>) -> Result<RotationId> {
    match executor.lost().await?.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Error::new(ErrorKind::NotFound, "there is no rotation to go on with in this journal")),
        several => {
            let list = several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let text =
                format!("several rotations can be seen in this Swarm and have no journal here, name one: {list}");
            Err(Error::new(ErrorKind::Invalid, text))
        }
    }
}

fn listed(states: &[State]) -> String {
    states.iter().map(|s| format!("{} ({})", s.rotation, s.plan.names())).collect::<Vec<_>>().join(", ")
}
