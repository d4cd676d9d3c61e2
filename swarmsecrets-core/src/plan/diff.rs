//! What a plan changes, for people.

use std::time::Duration;

use serde::Serialize;

use super::document::{PlanKind, PlannedConsumer, StepKind};
use super::request::ValueRecipe;
use super::seal::Plan;
use super::steps::{beside, swaps};
use crate::ids::{is_unprintable, listed, quoted};
use crate::inventory::ServiceMode;

/// What a plan changes: lines with marks, to be coloured or printed as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diff {
    /// The lines.
    pub lines: Vec<DiffLine>,
}

/// One line of a [`Diff`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiffLine {
    /// What it says.
    pub mark: Mark,
    /// In words, without the mark.
    pub text: String,
}

/// What a [`DiffLine`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Context.
    Note,
    /// Something new.
    Add,
    /// Something that changes.
    Change,
    /// Something that goes.
    Remove,
    /// Something to be aware of.
    Warn,
}

impl Mark {
    /// The character before the line.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::Note => ' ',
            Self::Add => '+',
            Self::Change => '~',
            Self::Remove => '-',
            Self::Warn => '!',
        }
    }
}

impl std::fmt::Display for Diff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in &self.lines {
            let text: String = line.text.chars().filter(|c| !is_unprintable(*c)).collect();
            writeln!(f, "{} {text}", line.mark.sign())?;
        }
        Ok(())
    }
}

impl Plan {
    /// What the plan changes.
    #[must_use]
    pub fn diff(&self) -> Diff {
        let mut lines = vec![headline(self)];
        let mut add = |mark, text| lines.push(DiffLine { mark, text });
        for secret in &self.secrets {
            let value = match &secret.recipe {
                ValueRecipe::Supplied => "the value that is handed over".to_owned(),
                ValueRecipe::Generate(spec) => format!("a generated value ({spec})"),
                ValueRecipe::Source(version) => version.to_string(),
            };
            add(Mark::Add, format!("secret {} with {value}", secret.next.name));
            if let Some(owner) = &secret.owner {
                add(Mark::Add, format!("owner of {}: {owner}", secret.next.name));
            }
        }
        let provides = |consumer: &&PlannedConsumer| !consumer.besides(&self.secrets).is_empty();
        for consumer in self.consumers.iter().filter(provides) {
            add(Mark::Change, consumer_line(self, consumer));
        }
        for step in self.steps.iter().filter(|s| s.kind == StepKind::SetCredential) {
            add(Mark::Change, step.text.clone());
        }
        for consumer in self.consumers.iter().filter(|consumer| !provides(consumer)) {
            add(Mark::Change, consumer_line(self, consumer));
        }
        for step in self.steps.iter().filter(|s| matches!(s.kind, StepKind::PatchStack | StepKind::WriteStack)) {
            add(Mark::Change, step.text.clone());
        }
        for step in self.steps.iter().filter(|s| s.kind == StepKind::RevokeCredential) {
            add(Mark::Remove, step.text.clone());
        }
        for step in self.steps.iter().filter(|s| s.kind == StepKind::UnmountPrevious) {
            add(Mark::Change, step.text.clone());
        }
        for previous in self.replaced() {
            let after = humane(self.timing.grace);
            let text = if self.timing.grace.is_zero() {
                format!("secret {} at once, when nothing uses it any more", previous.name)
            } else {
                format!("secret {} after {after}, when nothing uses it any more", previous.name)
            };
            add(Mark::Remove, text);
        }
        for warning in &self.warnings {
            add(Mark::Warn, warning.text.clone());
        }
        if self.decision != crate::policy::Decision::Allow {
            add(Mark::Warn, self.decision.to_string());
        }
        Diff { lines }
    }
}

fn headline(plan: &Plan) -> DiffLine {
    let simulated = if plan.simulated { " (simulated)" } else { "" };
    let text = match plan.kind {
        PlanKind::Create => format!("create {} in environment {}{simulated}", plan.names(), plan.environment),
        PlanKind::Rotate => format!(
            "rotate {} in environment {}{simulated}: {} to update, {} to restart, about {}",
            plan.names(),
            plan.environment,
            counted(plan.consumers.len() as u64, "service"),
            counted(plan.restarts, "task"),
            humane(rough(plan.expected)),
        ),
    };
    DiffLine { mark: Mark::Note, text }
}

fn consumer_line(plan: &Plan, consumer: &PlannedConsumer) -> String {
    let targets: Vec<String> = consumer.mounts.iter().map(|m| quoted(&m.target).trim_matches('`').to_owned()).collect();
    let tasks = match consumer.mode {
        ServiceMode::Global => format!("global, {}", counted(consumer.restarts, "task")),
        ServiceMode::ReplicatedJob | ServiceMode::GlobalJob => "job".to_owned(),
        ServiceMode::Replicated(n) => counted(n, "task"),
    };
    let asked = match consumer.probes.as_slice() {
        [] => String::new(),
        probes => format!(", then asked by {}", listed(probes)),
    };
    format!(
        "service {} ({tasks}): {} at {}{}{asked}",
        quoted(&consumer.service).trim_matches('`'),
        swaps(&plan.secrets, consumer),
        targets.join(", "),
        beside(&plan.secrets, consumer)
    )
}

/// A number and a noun: `1 task`, `2 tasks`.
pub(crate) fn counted(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// A duration as people write it: `24h`, `1m30s`, `250ms`, `0s`.
#[must_use]
pub fn humane(duration: Duration) -> String {
    let ms = duration.as_millis();
    let parts = [(ms / 3_600_000, "h"), (ms / 60_000 % 60, "m"), (ms / 1000 % 60, "s"), (ms % 1000, "ms")];
    let text: String = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A guess is not told to the millisecond: whole seconds, and whole minutes from ten minutes on.
pub(super) fn rough(duration: Duration) -> Duration {
    let step = if duration < Duration::from_secs(600) { 1 } else { 60 };
    Duration::from_secs(duration.as_secs().next_multiple_of(step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duration::parse_duration;

    #[test]
    fn durations_read_as_people_write_them() {
        for (ms, text) in [(0, "0s"), (250, "250ms"), (90_000, "1m30s"), (86_400_000, "24h"), (3_605_000, "1h5s")] {
            assert_eq!(humane(Duration::from_millis(ms)), text);
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)));
        }
    }
}
