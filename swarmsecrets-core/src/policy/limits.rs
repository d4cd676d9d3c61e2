//! Limits: how often things are begun, and how many are in hand at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::document::{ForEach, LimitEntry};
use super::file::Policy;
use super::parse::{named, optional};
use super::selector::{Act, Selector, Way};
use crate::duration::{parse_duration, short};
use crate::ids::quoted;

/// The highest number that a limit counts to: what was begun is kept in one file.
const MOST: u32 = 10_000;
/// The longest time that is looked back on.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// How often what is selected is begun, and how much of it is in hand at once.
#[derive(Clone, Debug)]
pub struct Limit {
    name: String,
    reason: String,
    rate: Option<Rate>,
    at_once: Option<u32>,
    for_each: Option<ForEach>,
    selector: Selector,
}

/// So many secrets in so much time, whenever that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub at_most: u32,
    /// The time that is looked back on.
    pub per: Duration,
}

/// What one limit counts where a rotation begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The limit's name.
    pub limit: String,
    /// Why there is such a limit, for whoever it stops.
    pub reason: String,
    /// Whose count it is: an agent's, a secret's, an environment's. Empty where all have one.
    pub whose: String,
    /// How many secrets of the plan it is about.
    pub secrets: u32,
    /// How many may be begun.
    pub rate: Option<Rate>,
    /// How many rotations may be in hand.
    pub at_once: Option<u32>,
}

impl Limit {
    /// # Errors
    /// Where and why it says nothing or could never let anything be begun.
    pub(super) fn new(
        entry: Spanned<LimitEntry>,
        names: &mut BTreeSet<String>,
    ) -> Result<Self, (Range<usize>, String)> {
        let (whole, entry) = (entry.span(), entry.into_inner());
        named("limit", &entry.name, names)?;
        if entry.reason.get_ref().trim().is_empty() {
            return Err((entry.reason.span(), "the reason is empty: whoever is stopped is told it".into()));
        }
        let number = |number: &Spanned<u32>| match *number.get_ref() {
            0 => Err((number.span(), "nothing could ever be begun: write a rule that denies".to_owned())),
            n if n > MOST => Err((number.span(), format!("a limit counts to {MOST} at most"))),
            n => Ok(n),
        };
        let rate = match (&entry.at_most, &entry.per) {
            (None, None) => None,
            (Some(at_most), Some(per)) => Some(Rate { at_most: number(at_most)?, per: time(per)? }),
            _ => return Err((whole, "`at_most` and `per` go together: so many in so much time".into())),
        };
        let at_once = entry.at_once.as_ref().map(number).transpose()?;
        if rate.is_none() && at_once.is_none() {
            return Err((whole, "an entry of `limits` has neither `at_most` nor `at_once`, and says nothing".into()));
        }
        Ok(Self {
            name: entry.name.into_inner(),
            reason: entry.reason.into_inner(),
            rate,
            at_once,
            for_each: entry.for_each,
            selector: optional(entry.select)?,
        })
    }

    fn holds(&self, act: &Act<'_>) -> bool {
        self.selector.holds(act, Way::Tightens)
    }

    /// Whose count an act falls to.
    fn whose(&self, act: &Act<'_>, cluster: &str) -> String {
        let place = || format!("environment {} of swarm {cluster}", act.environment);
        match self.for_each {
            None => String::new(),
            Some(ForEach::Agent) => act.agent.map_or_else(|| "no agent".to_owned(), |agent| format!("agent {agent}")),
            Some(ForEach::Secret) => format!("secret {} in {}", act.secret, place()),
            Some(ForEach::Environment) => place(),
        }
    }

    /// What it counts of these acts of one plan: each secret once for each whose count it falls to.
    fn tallies(&self, acts: &[&Act<'_>], cluster: &str) -> impl Iterator<Item = Tally> {
        let mut counted: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for act in acts.iter().filter(|act| self.holds(act)) {
            counted.entry(self.whose(act, cluster)).or_default().insert(act.secret);
        }
        counted.into_iter().map(|(whose, secrets)| Tally {
            limit: self.name.clone(),
            reason: self.reason.clone(),
            whose,
            secrets: u32::try_from(secrets.len()).unwrap_or(u32::MAX),
            rate: self.rate,
            at_once: self.at_once,
        })
    }
}

/// As in "limit `hourly`: at most 5 in 1h, 1 at once, for each agent".
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.rate.map(|rate| format!("at most {} in {}", rate.at_most, short(rate.per)));
        let at_once = self.at_once.map(|n| format!("{n} at once"));
        let each = self.for_each.map(|each| format!("for each {}", each.word()));
        let parts: Vec<String> = [rate, at_once, each].into_iter().flatten().collect();
        write!(f, "limit {}: {}", quoted(&self.name), parts.join(", "))
    }
}

impl ForEach {
    fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Secret => "secret",
            Self::Environment => "environment",
        }
    }
}

impl Policy {
    /// The limits that an act falls under.
    pub fn limits(&self, act: &Act<'_>) -> impl Iterator<Item = &Limit> {
        self.limits.iter().filter(move |limit| limit.holds(act))
    }

    /// Whether it has any limit: then what was begun must be remembered.
    #[must_use]
    pub fn has_limits(&self) -> bool {
        !self.limits.is_empty()
    }

    /// The folder in which what its guards remember is kept, if it names one.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref().or_else(|| self.approvals.as_ref().map(|approvals| approvals.state.as_str()))
    }

    /// What its limits count where a plan that does all of these acts is begun in this Swarm.
    #[must_use]
    pub fn tallies(&self, acts: &[&Act<'_>], cluster: &str) -> Vec<Tally> {
        self.limits.iter().flat_map(|limit| limit.tallies(acts, cluster)).collect()
    }
}

fn time(text: &Spanned<String>) -> Result<Duration, (Range<usize>, String)> {
    let time = parse_duration(text.get_ref()).map_err(|why| (text.span(), why))?;
    if time.is_zero() || time > LONGEST {
        return Err((text.span(), "a limit looks back on some time, and on 366d at most".into()));
    }
    Ok(time)
}
