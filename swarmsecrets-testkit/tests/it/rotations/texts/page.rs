//! A page of texts as an operator reads them.

use std::fmt::Write as _;

use jiff::Timestamp;
use swarmsecrets_core::Error;
use swarmsecrets_core::journal::JournalStore as _;
use swarmsecrets_core::plan::WarningKind;
use swarmsecrets_core::rotation::{Outcome, Report, State};

use super::super::desk::Desk;

/// Another rotation than the one that is told of.
pub(super) const OTHER: &str = "r-00000000000000000000";

#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    /// What is said where nothing was begun.
    pub(super) fn refusal(&mut self, name: &str, error: &Error) {
        self.add(name, &format!("{}: {error}\n", error.kind()));
    }

    /// What is said at the end, without what the plan had said before.
    pub(super) async fn end(&mut self, name: &str, desk: &Desk, outcome: Outcome, report: &Report) {
        assert_eq!(report.outcome, outcome, "{name}: {report:#?}");
        let warnings = news(desk, report).await;
        let mut text = format!("{outcome}\n");
        for secret in &report.secrets {
            let current = secret.current.as_ref().map_or("none", |v| v.name.as_str());
            let previous = secret.previous.as_ref().map(|p| format!(", before it {}", p.name)).unwrap_or_default();
            let _ = writeln!(text, "  {}: current version {current}{previous}", secret.name);
        }
        for consumer in &report.consumers {
            let reason = consumer.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let _ = writeln!(text, "  {}: {}{reason}", consumer.service, consumer.outcome);
        }
        for stack in &report.stacks {
            let _ = writeln!(text, "  stack {}: {}", stack.name, stack.outcome);
        }
        for warning in &warnings {
            let _ = writeln!(text, "! {warning}");
        }
        let told =
            outcome == Outcome::Applied || warnings.iter().any(|w| w.contains("`swarmsecrets ") || w.contains("patch"));
        assert!(told, "{name}: it does not say what to do next: {text}");
        self.add(name, &text);
    }

    fn add(&mut self, name: &str, text: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        let _ = write!(self.0, "{gap}## {name}\n\n{}", steady(text));
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

/// The warnings that the plan did not have.
async fn news(desk: &Desk, report: &Report) -> Vec<String> {
    let Some(id) = &report.rotation else { return report.warnings.clone() };
    let journal = desk.journal.load(id).await.unwrap();
    let plan = State::replay(journal.entries.iter().map(|entry| &entry.event)).unwrap().plan;
    let standing = |text: &String| plan.warnings.iter().any(|w| w.kind != WarningKind::JournalLost && w.text == *text);
    report.warnings.iter().filter(|text| !standing(text)).cloned().collect()
}

/// Ids and times that may change with the simulation.
fn steady(text: &str) -> String {
    let mut ids: Vec<&str> = Vec::new();
    let mut out = String::new();
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || ['-', ':', '.'].contains(&c);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if !part_of_word(first) {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let end = rest.find(|c| !part_of_word(c)).unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches([':', '.']);
        match word {
            _ if word.parse::<Timestamp>().is_ok() => out.push_str("<time>"),
            _ if word.len() == OTHER.len() && word.starts_with("r-") && word != OTHER => out.push_str("r-ID"),
            _ if is_id(word) => {
                let n = ids.iter().position(|id| *id == word).unwrap_or_else(|| {
                    ids.push(word);
                    ids.len() - 1
                });
                let _ = write!(out, "<id {}>", n + 1);
            }
            _ => out.push_str(word),
        }
        out.push_str(&rest[word.len()..end]);
        rest = &rest[end..];
    }
    out
}

/// An id of the Engine.
fn is_id(word: &str) -> bool {
    word.len() == 25 && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}
