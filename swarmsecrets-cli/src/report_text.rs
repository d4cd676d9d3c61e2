//! A rotation's report for people, and its exit code.

use std::fmt::Write as _;

use swarmsecrets_core::Error;
use swarmsecrets_core::plan::{Plan, Warning};
use swarmsecrets_core::rotation::{Outcome, Report};

use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::printable::{printable, printable_lines};

/// How the command ends for an outcome.
pub(crate) fn exit(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Applied => Exit::Done,
        Outcome::RolledBack | Outcome::NotStarted => Exit::Failed,
        Outcome::NeedsHuman | Outcome::AwaitingPatch => Exit::Person,
        Outcome::AwaitingApproval => Exit::Waiting,
        Outcome::Conflict => Exit::Conflict,
        Outcome::Denied => Exit::Denied,
    }
}

/// Prints the report, or that nothing was begun and why, and says how the command ends.
pub(crate) fn tell(
    console: Console,
    plan: Option<&Plan>,
    simulated: bool,
    known: &[Warning],
    result: Result<Report, Error>,
) -> Result<Exit, Failure> {
    match result {
        Ok(report) => {
            if console.json {
                console.document(&report)?;
            } else {
                console.text(&text(&report, known))?;
            }
            Ok(exit(report.outcome))
        }
        Err(error) => {
            let report = Report::not_begun(plan, simulated, &error);
            let failure = Failure::from(error);
            console.error_text(&failure);
            if console.json {
                console.document(&report)?;
            }
            Ok(failure.exit)
        }
    }
}

/// The report as lines. What the plan had warned of is left out: it was shown with the plan.
pub(crate) fn text(report: &Report, known: &[Warning]) -> String {
    let mut out = headline(report);
    for secret in &report.secrets {
        let current = secret.current.as_ref().map_or("none", |v| v.name.as_str());
        let _ = write!(out, "  {}: current version {}", printable(&secret.name), printable(current));
        if let Some(previous) = secret.previous.as_ref().filter(|p| p.name.as_str() != current) {
            let _ = write!(out, ", before it {}", printable(previous.name.as_str()));
        }
        out.push('\n');
    }
    for consumer in &report.consumers {
        let _ = write!(out, "  {}: {}", printable(&consumer.service), consumer.outcome.replace('_', " "));
        if let Some(reason) = &consumer.reason {
            let _ = write!(out, ": {}", printable(reason));
        }
        out.push('\n');
    }
    for stack in &report.stacks {
        let _ = writeln!(out, "  stack {}: {}", printable(&stack.name), stack.outcome.replace('_', " "));
    }
    for warning in report.warnings.iter().filter(|text| !known.iter().any(|w| w.text == **text)) {
        let _ = writeln!(out, "! {}", printable(warning));
    }
    for stack in report.stacks.iter().filter(|s| s.patch.is_some()) {
        let patch = stack.patch.as_deref().unwrap_or_default();
        let _ = writeln!(out, "\nPatch for stack {}:\n{}", printable(&stack.name), printable_lines(patch));
    }
    out
}

fn headline(report: &Report) -> String {
    let simulated = if report.simulated { " (SIMULATED)" } else { "" };
    let id = report.rotation.as_ref().map(|id| format!("rotation {id}: ")).unwrap_or_default();
    let words = if report.closed { "closed by a person" } else { words(report.outcome) };
    format!("{id}{words}{simulated}, {} requests\n", report.requests)
}

fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "applied",
        Outcome::RolledBack => "rolled back",
        Outcome::NotStarted => "not started",
        Outcome::NeedsHuman => "A PERSON MUST LOOK",
        Outcome::AwaitingApproval => "awaiting an approval",
        Outcome::AwaitingPatch => "applied, awaiting a patch of stack files",
        Outcome::Conflict => "conflict",
        Outcome::Denied => "denied",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_the_code_that_is_promised() {
        for (outcome, code) in [
            (Outcome::Applied, 0),
            (Outcome::RolledBack, 1),
            (Outcome::NotStarted, 1),
            (Outcome::Denied, 3),
            (Outcome::AwaitingApproval, 4),
            (Outcome::Conflict, 5),
            (Outcome::AwaitingPatch, 6),
            (Outcome::NeedsHuman, 6),
        ] {
            assert_eq!(exit(outcome).code(), code, "{outcome:?}");
        }
    }
}
