//! The probes that are asked about services, and what they say together.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::exec::Exec;
use crate::health::{Baseline, Health, HealthProbe, Target};
use crate::ids::{ServiceId, one_line, quoted};
use crate::inventory::{Inventory, Labels};
use crate::journal::Measured;
use crate::model::{ServiceState, TaskState};
use crate::plan::{Content, PlannedConsumer, Probed};
use crate::rotation::{Answer, Look, Reply, State};

/// Probes, and the services that each is for.
#[derive(Clone, Default)]
pub struct Probes<'a> {
    all: Vec<(Probed, Arc<dyn HealthProbe + 'a>)>,
}

impl<'a> Probes<'a> {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These and one more. A service may have several, if their names differ.
    #[must_use]
    pub fn and(mut self, services: Probed, probe: Arc<dyn HealthProbe + 'a>) -> Self {
        self.all.push((services, probe));
        self
    }

    /// Their names, as a [`RotationRequest`](crate::plan::RotationRequest) takes them.
    #[must_use]
    pub fn requested(&self) -> Vec<(Probed, String)> {
        self.all.iter().map(|(services, probe)| (services.clone(), probe.name().to_owned())).collect()
    }

    /// Checks that every probe of a plan is at hand.
    ///
    /// # Errors
    /// `Invalid`, with the service and the probe that is not.
    pub(super) fn check(&self, plan: &Content, world: &Inventory) -> Result<()> {
        let labels: BTreeMap<&ServiceId, &Labels> = world.services.iter().map(|s| (&s.id, &s.labels)).collect();
        for planned in plan.consumers.iter().filter(|c| !c.probes.is_empty()) {
            // What is gone is not asked about.
            if let Some(labels) = labels.get(&planned.id) {
                self.of(planned, labels)?;
            }
        }
        Ok(())
    }

    /// The probes of a consumer, in the order of the plan.
    fn of(&self, planned: &PlannedConsumer, labels: &Labels) -> Result<Vec<&(dyn HealthProbe + 'a)>> {
        let find = |name: &String| {
            let is = |(services, probe): &&(Probed, Arc<dyn HealthProbe + 'a>)| {
                probe.name() == name && services.is(&planned.service, labels)
            };
            let found = self.all.iter().find(is).map(|(_, probe)| &**probe);
            found.ok_or_else(|| {
                let (service, name) = (quoted(&planned.service), quoted(name));
                let text = format!(
                    "{service} is to be asked by the probe {name}, which is not at hand: hand it over (--probes)"
                );
                Error::new(ErrorKind::Invalid, text)
            })
        };
        planned.probes.iter().map(find).collect()
    }

    /// Asks the probes of a service, as it was `seen` just now.
    pub(super) async fn ask(&self, state: &State, look: &Look, seen: Reply, exec: &dyn Exec) -> Reply {
        let Reply::Done(Answer::Rollout(service, tasks)) = seen else { return seen };
        match self.answer(state, look, &service, &tasks, exec).await {
            Ok(answer) => Reply::Done(answer),
            Err(error) => Reply::Refused(error),
        }
    }

    async fn answer(
        &self,
        state: &State,
        look: &Look,
        service: &ServiceState,
        tasks: &[TaskState],
        exec: &dyn Exec,
    ) -> Result<Answer> {
        let place = state.plan.consumers.iter().position(|c| c.id == service.id);
        let unknown = || Error::new(ErrorKind::Journal, "the plan has no such consumer");
        let place = place.ok_or_else(unknown)?;
        let probes = self.of(&state.plan.consumers[place], &service.spec.labels()?)?;
        let target = Target::of(service, tasks)?;
        // One whose tasks have just failed is asked about all the same.
        let runs = tasks.iter().any(|t| t.service == service.id && matches!(t.desired.as_str(), "running" | "ready"));
        Ok(match look {
            Look::Baseline(_) if !runs => Answer::Baseline(Vec::new()),
            Look::Baseline(_) => Answer::Baseline(baselines(&probes, &target, exec).await?),
            _ if !runs => Answer::Health(None),
            _ => {
                let before = state.baselines[place].as_deref().unwrap_or_default();
                Answer::Health(Some(health(&probes, &target, before, exec).await))
            }
        })
    }
}

/// The look at what the probes are asked about.
pub(super) fn rollout_of(look: &Look) -> Look {
    match look {
        Look::Baseline(id) | Look::Health(id) => Look::Rollout(id.clone()),
        other => other.clone(),
    }
}

async fn baselines(probes: &[&dyn HealthProbe], target: &Target, exec: &dyn Exec) -> Result<Vec<Measured>> {
    let mut seen = Vec::new();
    for probe in probes {
        seen.push(Measured { probe: probe.name().to_owned(), baseline: probe.baseline(target, exec).await? });
    }
    Ok(seen)
}

/// The longest reason that is taken, in characters. Keeping it short and on one line is what a probe must do anyway.
const LONGEST: usize = 1000;

/// One that says no is believed. Otherwise one that cannot tell is.
async fn health(probes: &[&dyn HealthProbe], target: &Target, before: &[Measured], exec: &dyn Exec) -> Health {
    let mut all = Health::Healthy;
    for probe in probes {
        let seen = before.iter().find(|m| m.probe == probe.name());
        let baseline = seen.map_or_else(Baseline::none, |m| m.baseline.clone());
        match probe.check(target, &baseline, exec).await {
            Health::Healthy => {}
            Health::Inconclusive { .. } if all != Health::Healthy => {}
            Health::Inconclusive { reason } => all = Health::inconclusive(one_line(&reason, LONGEST)),
            Health::Unhealthy { reason } => return Health::unhealthy(one_line(&reason, LONGEST)),
        }
    }
    all
}
