//! Made-up probes, and what rotations may make of what they say.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use swarmsecrets_core::error::{Error, ErrorKind, Result};
use swarmsecrets_core::exec::Exec;
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, Target};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::Event;
use swarmsecrets_core::rotation::{Progress, Stage, State};

use super::manner::{Manner, Said};
use super::providers;
use super::records::Records;
use super::scene::ServicePlan;
use super::script::Op;
use super::stage::Fired;
use super::trouble::Class;
use super::truth::Verdict;
use super::values;

/// What probes have said, by rotation and service, in order.
#[derive(Default)]
pub(super) struct Looks(BTreeMap<(RotationId, String), Vec<Seen>>);

/// What a probe has said to the operation of this number; nothing yet when a consumer was begun.
type Seen = (u64, Option<Said>);

impl Looks {
    pub(super) fn add(&mut self, rotation: &RotationId, service: &str, seen: Seen) {
        self.0.entry((rotation.clone(), service.to_owned())).or_default().push(seen);
    }

    fn of(&self, rotation: &RotationId, service: &str) -> &[Seen] {
        self.0.get(&(rotation.clone(), service.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// What was last said of a service in a rotation, to whomever, since somebody began with it.
    pub(super) fn last(&self, rotation: &RotationId, service: &str) -> Option<Said> {
        self.of(rotation, service).last().and_then(|(_, said)| *said)
    }

    /// What was last said to an operation since it began with the service.
    fn last_to(&self, rotation: &RotationId, service: &str, run: u64) -> Option<Said> {
        self.of(rotation, service).last().filter(|(to, _)| *to == run).and_then(|(_, said)| *said)
    }
}

/// The probe of one service, as one operation asks it.
pub(super) struct MadeUp {
    records: Arc<Records>,
    name: String,
    manner: Manner,
}

impl MadeUp {
    pub(super) fn new(records: Arc<Records>, service: &ServicePlan) -> Self {
        Self { records, name: format!("made-up {}", service.name), manner: service.probe }
    }

    /// Comes to the point before an answer.
    async fn pass(&self) {
        let Records { stage, who, .. } = &*self.records;
        match stage.reach(*who, Class::Probe) {
            Fired::Crash(leaves) => self.records.die(leaves).await,
            Fired::Stall(time) => stage.stand_still(*who, time).await,
            _ => {}
        }
        if !self.manner.time.is_zero() {
            stage.sleep(*who, self.manner.time).await;
        }
    }

    /// Nobody is asked but about the services that the plan names, and each in its time.
    fn check_asked(&self, target: &Target, before: bool) {
        let stage = &self.records.stage;
        let Some((_, state)) = self.records.in_hand() else { return };
        let asked = may_ask(&state, target, &self.name, before);
        stage.check(asked.map_err(|why| format!("the probe of {} is asked, but {why}", target.name)));
    }
}

#[async_trait]
impl HealthProbe for MadeUp {
    fn name(&self) -> &str {
        &self.name
    }

    async fn baseline(&self, target: &Target, _: &dyn Exec) -> Result<Baseline> {
        self.check_asked(target, true);
        self.pass().await;
        if !self.manner.works() {
            return Err(Error::new(ErrorKind::Refused, "the made-up probe does not work"));
        }
        Baseline::of(&target.service)
    }

    async fn check(&self, target: &Target, baseline: &Baseline, _: &dyn Exec) -> Health {
        self.check_asked(target, false);
        let Records { stage, who, run, .. } = &*self.records;
        // It is none where no task ran when it was to be taken.
        let own = baseline.read::<Option<String>>();
        if !own.is_ok_and(|own| own.is_none_or(|own| own == target.service.as_str())) {
            stage.violated(format!("the probe of {} is handed the baseline of another one", target.name));
        }
        self.pass().await;
        let Some((rotation, _)) = self.records.in_hand() else { return Said::Inconclusive.health() };
        let service = target.service.as_str();
        let mut live = stage.live();
        let bad = |version: &String| live.watch.values.get(version).is_some_and(|value| value.expose() == values::BAD);
        let bad = live.watch.references(service).is_some_and(|refs| refs.iter().any(|(_, version)| bad(version)));
        let before = live.looks.of(&rotation, service).iter().filter(|(_, said)| said.is_some()).count();
        let said = self.manner.says(before, bad);
        *live.tally.looks.entry(said.name()).or_default() += 1;
        // Of whom another one has taken over, the answer counts no more.
        if !live.processes[*who].is_overtaken() {
            live.looks.add(&rotation, service, (*run, Some(said)));
        }
        drop(live);
        stage.note(|| format!("process {who}: the probe of {} says: {}", target.name, said.name()));
        said.health()
    }
}

/// Whether a probe may be asked about this service now.
fn may_ask(state: &State, target: &Target, name: &str, before: bool) -> Verdict {
    let planned = state.plan.consumers.iter().zip(&state.consumers).find(|(planned, _)| planned.id == target.service);
    let Some((planned, progress)) = planned else { return Err("the plan does not name the service".into()) };
    if !planned.probes.iter().any(|probe| probe == name) {
        return Err("the plan does not name the probe".into());
    }
    let sent = state.versions.iter().any(|version| version.create_sent || version.created.is_some());
    let provided = state.stage == Stage::Credential && providers::provides(state, planned);
    match (before, progress) {
        (true, _) if sent => Err("what was before it began is over".into()),
        (false, progress) if *progress != Progress::Begun => Err(format!("the service is not in hand ({progress:?})")),
        (false, _) if state.stage != Stage::Update && !provided => {
            Err(format!("no service is moved now ({:?})", state.stage))
        }
        _ => Ok(()),
    }
}

/// Takes in what a rotation notes of a consumer with probes: it must be what they have said.
pub(super) fn noted(records: &Records, rotation: &RotationId, event: &Event) {
    let (Event::ConsumerBegun { service }
    | Event::ConsumerConverged { service, .. }
    | Event::ConsumerUnsure { service, .. }) = event
    else {
        return;
    };
    let Some(state) = records.state(rotation) else { return };
    let mut planned = state.plan.consumers.iter();
    let Some(planned) = planned.find(|planned| planned.id == *service && !planned.probes.is_empty()) else { return };
    // A provider has been asked before: it is known to work with the new version as it loses the old one.
    if matches!(state.stage, Stage::Close | Stage::Grace) && providers::provides(&state, planned) {
        return;
    }
    let name = service.as_str();
    let last = records.stage.live().looks.last_to(rotation, name, records.run);
    let noted = match event {
        Event::ConsumerConverged { note, .. } => {
            let accepts = matches!(records.op, Op::Resume { accept: true, .. });
            let asked = Asked { last, accepts, runs: runs(records, name) };
            if last.is_none() {
                // What was said before is no more what counts.
                records.stage.live().looks.add(rotation, name, (records.run, None));
            }
            asked.converged(note.as_deref().unwrap_or_default())
        }
        Event::ConsumerUnsure { .. } if last.is_some_and(|said| said != Said::Inconclusive) => {
            Err(format!("nobody can tell how it is, and its probe has said: {last:?}"))
        }
        Event::ConsumerBegun { .. } => {
            records.stage.live().looks.add(rotation, name, (records.run, None));
            Ok(())
        }
        _ => Ok(()),
    };
    records.stage.check(noted.map_err(|why| format!("rotation {rotation}, service {name}: {why}")));
}

/// Whether any task of a service is meant to run, or was until a person changed that.
fn runs(records: &Records, service: &str) -> bool {
    let world = records.stage.swarm.engine().world();
    let runs = world.tasks.values().any(|task| task.service == service && task.is_wanted());
    drop(world);
    runs && !records.stage.live().edited
}

/// What a rotation has heard of a service, as it takes it for good.
struct Asked {
    last: Option<Said>,
    accepts: bool,
    runs: bool,
}

impl Asked {
    fn converged(&self, note: &str) -> Verdict {
        let nobody = note.contains("its probes were not asked") || note.contains("runs no task: nothing proves");
        match self.last {
            Some(Said::Healthy) => Ok(()),
            Some(Said::Inconclusive) if self.accepts && note.contains("was accepted although") => Ok(()),
            // That Portainer does not answer when it is to be asked counts as inconclusive.
            None if self.accepts && note.contains("was accepted although") => Ok(()),
            // A person may have taken its tasks away after it was in doubt.
            None | Some(Said::Inconclusive) if nobody && !self.runs => Ok(()),
            None => Err("it is taken for good without its probe".into()),
            Some(said) => Err(format!("it is taken for good, and its probe has said: {}", said.name())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_for_good_in_spite_of_its_probe_is_found() {
        let said = |last, accepts, runs, note: &str| Asked { last, accepts, runs }.converged(note);
        let accepted = "`s0` was accepted although its probes cannot tell whether it works: …";
        let nobody = "no task of `s0` is meant to run, so its probes were not asked";
        assert_eq!(said(Some(Said::Healthy), false, true, ""), Ok(()));
        assert_eq!(said(Some(Said::Inconclusive), true, true, accepted), Ok(()));
        assert_eq!(said(None, false, false, nobody), Ok(()));
        for (last, accepts, runs, note) in [
            (Some(Said::Unhealthy), true, true, accepted),
            (Some(Said::Unhealthy), false, true, ""),
            (Some(Said::Inconclusive), false, true, accepted),
            (Some(Said::Inconclusive), true, true, ""),
            (None, false, true, ""),
            (None, false, true, nobody),
            (None, false, false, ""),
        ] {
            assert!(said(last, accepts, runs, note).is_err(), "{last:?} {accepts} {runs} {note}");
        }
    }
}
