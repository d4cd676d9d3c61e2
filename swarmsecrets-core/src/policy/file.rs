//! A policy, ready to be asked.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::approvals::Approvals;
use super::audit::AuditSettings;
use super::decision::{Decision, Subject, builtin};
use super::document::{Document, Effect, OnKill, PhaseWord};
use super::due::Schedule;
use super::hours::{Freeze, Window};
use super::limits::Limit;
use super::selector::{Act, Selector, Way};
use super::values::Demands;
use crate::duration::short;
use crate::generate::GenerateSpec;
use crate::ids::{PolicyDigest, quoted};

/// Who may change which secrets, when, and with whose leave. [`Policy::parse`] reads it; `Policy::default()` is the built-in one.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(super) phase: PhaseWord,
    pub(super) default: Effect,
    pub(super) phases: Vec<Phase>,
    pub(super) rules: Vec<Rule>,
    pub(super) windows: Vec<Timed<Window>>,
    pub(super) freezes: Vec<Timed<Freeze>>,
    pub(super) values: Vec<Demands>,
    pub(super) grace: Vec<Grace>,
    pub(super) kill_switch: Option<KillSwitches>,
    pub(super) approvals: Option<Approvals>,
    pub(super) audit: Option<AuditSettings>,
    pub(super) limits: Vec<Limit>,
    pub(super) rotations: Vec<Schedule>,
    pub(super) state: Option<String>,
    pub(super) expose_values: bool,
    pub(super) digest: PolicyDigest,
}

#[derive(Clone, Debug)]
pub(super) struct Phase {
    pub(super) word: PhaseWord,
    pub(super) selector: Selector,
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) effect: Effect,
    pub(super) reason: String,
    pub(super) selector: Selector,
}

/// Hours, and what they are for.
#[derive(Clone, Debug)]
pub(super) struct Timed<T> {
    pub(super) what: T,
    pub(super) selector: Selector,
}

#[derive(Clone, Debug)]
pub(super) struct Grace {
    pub(super) min: Option<Duration>,
    pub(super) max: Option<Duration>,
    pub(super) selector: Selector,
}

/// The kill switches that a policy names: each by itself stops everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillSwitches {
    /// While this file is there, or cannot be looked for, nothing is changed.
    pub file: Option<String>,
    /// While the Swarm carries this label, or its labels cannot be read, nothing is changed.
    pub label: Option<String>,
    /// What becomes of a rotation that is under way.
    pub on_kill: OnKill,
}

/// What one part of a policy says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ruling {
    /// The part: a rule, the phase, the default, a label.
    pub by: String,
    /// What it says.
    pub decision: Decision,
}

/// What a policy says to one act: every part that holds, the one that decides first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// All that hold. Never empty.
    pub rulings: Vec<Ruling>,
}

impl Judgement {
    /// What holds: the strictest.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.rulings.first().map_or(Decision::Allow, |first| first.decision.clone())
    }
}

impl Policy {
    /// The JSON Schema of the file.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Document).to_value()
    }

    /// The kill switch that it names.
    #[must_use]
    pub fn kill_switch(&self) -> Option<&KillSwitches> {
        self.kill_switch.as_ref()
    }

    /// Who approves what needs an approval, if anybody can.
    #[must_use]
    pub fn approvals(&self) -> Option<&Approvals> {
        self.approvals.as_ref()
    }

    /// Where the audit trail goes beside its file, if it says so.
    #[must_use]
    pub fn audit(&self) -> Option<&AuditSettings> {
        self.audit.as_ref()
    }

    /// Whether bindings to other languages may give a value back to their programs. Rust programs hold values anyway.
    #[must_use]
    pub fn lets_values_be_exposed(&self) -> bool {
        self.expose_values
    }

    /// The SHA-256 over `swarmsecrets policy 1`, a line feed, and the file as it is.
    #[must_use]
    pub fn digest(&self) -> &PolicyDigest {
        &self.digest
    }

    /// What it says to an act, whenever that is done: the labels, the phase, and the rules or the default.
    #[must_use]
    pub fn judge(&self, act: &Act<'_>) -> Judgement {
        let mut rulings = by_labels(act);
        rulings.push(self.by_phase(act));
        let rules = self.rules.iter().filter(|rule| rule.selector.holds(act, way(rule.effect)));
        let before = rulings.len();
        rulings
            .extend(rules.map(|rule| Ruling { by: format!("rule {}", quoted(&rule.name)), decision: rule.decision() }));
        if rulings.len() == before {
            rulings.push(Ruling { by: "default".into(), decision: self.by_default(act) });
        }
        // Stable: of those that are as strict, labels come first, then the phase, then rules by name.
        rulings.sort_by_key(|ruling| std::cmp::Reverse(ruling.decision.strictness()));
        Judgement { rulings }
    }

    /// The decision of [`Policy::judge`] alone: rules are asked only while one of their effect could decide.
    #[must_use]
    pub fn decide(&self, act: &Act<'_>) -> Decision {
        let labels = by_labels(act).into_iter().map(|ruling| ruling.decision);
        let so_far = labels.chain([self.by_phase(act).decision]).fold(Decision::Allow, Decision::stricter);
        let first = |effect: Effect| {
            let mut rules = self.rules.iter().filter(|rule| rule.effect == effect);
            rules.find(|rule| rule.selector.holds(act, way(effect)))
        };
        for effect in [Effect::Deny, Effect::NeedsApproval] {
            if so_far.strictness() >= strictness(effect) {
                return so_far;
            }
            if let Some(rule) = first(effect) {
                return so_far.stricter(rule.decision());
            }
            if self.default == effect && first(Effect::NeedsApproval).or_else(|| first(Effect::Allow)).is_none() {
                return so_far.stricter(self.by_default(act));
            }
        }
        so_far
    }

    fn by_default(&self, act: &Act<'_>) -> Decision {
        let name = quoted(act.secret);
        decision(self.default, format!("no rule is about {name}, and the policy's default is {}", word(self.default)))
    }

    fn by_phase(&self, act: &Act<'_>) -> Ruling {
        // Whether an entry loosens can be said only beside the phase that holds without it.
        let holds = |entry: &&Phase| {
            entry.selector.holds(act, if entry.word > self.phase { Way::Tightens } else { Way::Loosens })
        };
        let phase = self.phases.iter().filter(holds).map(|entry| entry.word).max().unwrap_or(self.phase);
        let decision = match phase {
            PhaseWord::Automated => Decision::Allow,
            PhaseWord::Assisted => Decision::NeedsApproval {
                reason: format!("the policy has {} in the phase `assisted`", quoted(act.secret)),
            },
            PhaseWord::ReadOnly => Decision::Deny {
                reason: format!("the policy has {} in the phase `read-only`: nothing is changed", quoted(act.secret)),
            },
        };
        Ruling { by: format!("phase {}", phase_word(phase)), decision }
    }

    /// What it says to keeping the replaced version for so long.
    #[must_use]
    pub fn judge_grace(&self, act: &Act<'_>, grace: Duration) -> Decision {
        let held = self.grace.iter().filter(|entry| entry.selector.holds(act, Way::Tightens));
        let said = held.filter_map(|entry| match (entry.min, entry.max) {
            (Some(min), _) if grace < min => Some(format!("is shorter than {}, the least", short(min))),
            (_, Some(max)) if grace > max => Some(format!("is longer than {}, the most", short(max))),
            _ => None,
        });
        let name = quoted(act.secret);
        let denied = |why: String| Decision::Deny {
            reason: format!("the grace period of {} {why} that the policy takes for {name}", short(grace)),
        };
        said.map(denied).next().unwrap_or(Decision::Allow)
    }

    /// What it says to values that are generated like this.
    #[must_use]
    pub fn judge_generated(&self, act: &Act<'_>, spec: &GenerateSpec) -> Decision {
        self.demands(act, |demands| demands.of_spec(spec))
    }

    pub(super) fn demands(&self, act: &Act<'_>, ask: impl Fn(&Demands) -> Option<String>) -> Decision {
        let held = self.values.iter().filter(|demands| demands.selector.holds(act, Way::Tightens));
        let name = quoted(act.secret);
        let denied = |why: String| Decision::Deny { reason: format!("the new value of {name} {why}") };
        held.filter_map(ask).map(denied).next().unwrap_or(Decision::Allow)
    }

    /// The hours in which an act may be done.
    #[must_use]
    pub fn hours(&self, act: &Act<'_>) -> Hours {
        let windows = self.windows.iter().filter(|timed| timed.selector.holds(act, Way::Tightens));
        let freezes = self.freezes.iter().filter(|timed| timed.selector.holds(act, Way::Tightens));
        Hours {
            windows: windows.map(|timed| timed.what.clone()).collect(),
            freezes: freezes.map(|timed| timed.what.clone()).collect(),
        }
    }
}

/// What stands in it, in a few words, as in "phase assisted, default allow, 2 rules, 1 window".
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "phase {}, default {}", phase_word(self.phase), word(self.default))?;
        let parts = [
            (self.phases.len(), "phase for a selection", "phases for selections"),
            (self.rules.len(), "rule", "rules"),
            (self.windows.len(), "window", "windows"),
            (self.freezes.len(), "freeze", "freezes"),
            (self.values.len(), "demand on values", "demands on values"),
            (self.grace.len(), "demand on grace periods", "demands on grace periods"),
            (self.audit.as_ref().map_or(0, |audit| audit.sinks.len()), "audit sink", "audit sinks"),
            (self.limits.len(), "limit", "limits"),
            (self.rotations.len(), "rotation policy", "rotation policies"),
        ];
        for (count, one, several) in parts.into_iter().filter(|(count, ..)| *count > 0) {
            write!(f, ", {count} {}", if count == 1 { one } else { several })?;
        }
        let Some(switches) = &self.kill_switch else { return Ok(()) };
        if let Some(file) = &switches.file {
            write!(f, ", kill switch {}", quoted(file))?;
        }
        switches.label.as_ref().map_or(Ok(()), |label| write!(f, ", kill switch by the label {}", quoted(label)))
    }
}

/// The hours in which something may be done.
#[derive(Clone, Debug, Default)]
pub struct Hours {
    windows: Vec<Window>,
    freezes: Vec<Freeze>,
}

impl Hours {
    /// Whether it may be done now.
    #[must_use]
    pub fn are_open(&self, now: Timestamp) -> bool {
        let frozen = self.freezes.iter().any(|freeze| freeze.holds(now));
        !frozen && (self.windows.is_empty() || self.windows.iter().any(|window| window.is_open(now)))
    }

    /// Whether it may be done now.
    ///
    /// # Errors
    /// Why not, and when it may be.
    pub fn check(&self, now: Timestamp) -> Result<(), String> {
        if self.are_open(now) {
            return Ok(());
        }
        if let Some(freeze) = self.freezes.iter().find(|freeze| freeze.holds(now)) {
            return Err(format!(
                "nothing is changed in the freeze {}, which ends with {}",
                quoted(&freeze.name),
                freeze.until
            ));
        }
        let names = crate::ids::ticked(self.windows.iter().map(|window| window.name.as_str()));
        let next =
            self.windows.iter().filter_map(|window| Some((window.opens(now)?, window))).min_by_key(|(at, _)| *at);
        let next = next.map_or_else(
            || "none opens within eight days".to_owned(),
            |(at, window)| format!("{} opens at {}", quoted(&window.name), at.to_zoned(window.zone.clone())),
        );
        Err(format!("the maintenance window is closed ({names}); {next}"))
    }
}

fn by_labels(act: &Act<'_>) -> Vec<Ruling> {
    let subject = |what| {
        move |(name, labels): &(&'_ str, &'_ crate::inventory::Labels)| {
            let decision = builtin(Subject { what, name, labels });
            (decision != Decision::Allow)
                .then(|| Ruling { by: format!("a label of the {what} {}", quoted(name)), decision })
        }
    };
    let versions = act.versions.iter().filter_map(subject("secret"));
    versions.chain(act.services.iter().filter_map(subject("service"))).collect()
}

impl Rule {
    fn decision(&self) -> Decision {
        decision(self.effect, format!("{} (rule {})", self.reason, quoted(&self.name)))
    }
}

fn strictness(effect: Effect) -> u8 {
    decision(effect, String::new()).strictness()
}

fn way(effect: Effect) -> Way {
    if effect == Effect::Allow { Way::Loosens } else { Way::Tightens }
}

fn phase_word(phase: PhaseWord) -> &'static str {
    match phase {
        PhaseWord::Automated => "automated",
        PhaseWord::Assisted => "assisted",
        PhaseWord::ReadOnly => "read-only",
    }
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::NeedsApproval => "needs-approval",
        Effect::Deny => "deny",
    }
}

fn decision(effect: Effect, reason: String) -> Decision {
    match effect {
        Effect::Allow => Decision::Allow,
        Effect::NeedsApproval => Decision::NeedsApproval { reason },
        Effect::Deny => Decision::Deny { reason },
    }
}
