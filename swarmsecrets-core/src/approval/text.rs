//! A request as a person reads it before deciding.

use std::fmt::{self, Write as _};

use super::blast::told;
use super::{ChangeRequest, Window};
use crate::ids::{one_line, quoted};
use crate::plan::{ValueRecipe, counted};

impl ChangeRequest {
    /// The request for a person: who asks, why, what is done, what it touches and how bad that could get, and what the approval is
    /// bound to. What came from outside stands in it without anything that could drive a terminal, and cannot look like a line of
    /// ours.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let written = self.write(&mut out);
        debug_assert!(written.is_ok());
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "change request {}", self.digest())?;
        let agent = self.requester.agent.iter().map(|agent| format!(", through the agent {}", quoted(agent)));
        writeln!(out, "asked by: {}{}", quoted(&self.requester.account), agent.collect::<String>())?;
        match self.reasoning.trim() {
            "" => writeln!(out, "why: no reason was given")?,
            reasoning => {
                writeln!(out, "why, in the words of who asks:")?;
                let lines = reasoning.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']);
                for line in lines.filter(|line| !line.trim().is_empty()) {
                    writeln!(out, "  | {}", one_line(line, usize::MAX))?;
                }
            }
        }
        writeln!(out, "what:")?;
        for line in self.plan.diff().to_string().lines() {
            writeln!(out, "  {line}")?;
        }
        self.write_values(out)?;
        self.write_reach(out)?;
        writeln!(
            out,
            // Whole, for it is compared to the last character: no more than 512, and none that cannot be seen.
            "where: Portainer {}, environment {}, Swarm {}",
            one_line(&self.instance, usize::MAX),
            self.environment,
            self.cluster
        )?;
        writeln!(out, "plan: {}", self.plan.digest())?;
        writeln!(out, "policy: {}", self.policy)?;
        if let Some(Window { opens, closes }) = self.window {
            writeln!(out, "may be carried out: from {opens} until {closes}")?;
        }
        let people = if self.approvals == 1 { "person" } else { "different people" };
        writeln!(out, "needs: {} {people} to approve, none of them who asks", self.approvals)?;
        writeln!(out, "made: {}", self.created)?;
        writeln!(out, "expires: {}", self.expires)
    }

    fn write_values(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "values:")?;
        for planned in &self.plan.secrets {
            let value = match (self.fingerprints.get(&planned.secret), &planned.recipe) {
                (Some(fingerprint), _) => format!("the one with the fingerprint {}", one_line(fingerprint, 128)),
                (None, ValueRecipe::Generate(spec)) => {
                    format!("made at random ({}) when it is carried out", one_line(&spec.to_string(), 200))
                }
                (None, ValueRecipe::Source(version)) => format!("{version}, and no other"),
                (None, ValueRecipe::Supplied) => {
                    "WHATEVER IS HANDED OVER when it is carried out: it was not in hand when this was asked for"
                        .to_owned()
                }
            };
            writeln!(out, "  {}: {value}", quoted(&planned.secret))?;
        }
        Ok(())
    }

    fn write_reach(&self, out: &mut String) -> fmt::Result {
        let named = |names: &[String], noun: &str| {
            format!("{}{}", counted(names.len() as u64, noun), told(names.iter().map(String::as_str)))
        };
        writeln!(out, "touches: {}", named(&self.blast.services, "service"))?;
        writeln!(out, "  {} to restart", counted(self.blast.restarts, "task"))?;
        for (names, noun) in [(&self.blast.stacks, "stack"), (&self.blast.teams, "team")] {
            if !names.is_empty() {
                writeln!(out, "  {}", named(names, noun))?;
            }
        }
        writeln!(out, "risk: {}", self.risk.level.word())?;
        self.risk.reasons.iter().try_for_each(|reason| writeln!(out, "  - {}", one_line(reason, 1000)))
    }
}
