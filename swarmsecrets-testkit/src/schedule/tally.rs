//! What was simulated, counted.

use std::collections::BTreeMap;
use std::fmt;

use crate::credential::Step;

/// What was simulated. Several are added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many seeds.
    pub worlds: u64,
    /// The worlds whose rotations ask probes.
    pub probed: u64,
    /// The worlds with programs that log in with what they mount.
    pub logging_in: u64,
    /// Services, in all worlds.
    pub services: u64,
    /// Rotations, first versions and the like that were begun.
    pub begun: u64,
    /// The rotations in which commands in containers change passwords.
    pub provided: u64,
    /// Redeploys of stacks that were sent, from files that Portainer keeps and from repositories.
    pub redeployed: (u64, u64),
    /// Points at which a process could be reached: requests, answers, records.
    pub steps: u64,
    /// Requests that were answered.
    pub requests: u64,
    /// What went wrong, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// What rotations came to in the end, by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Why a person is asked in the end, by reason.
    pub asked: BTreeMap<&'static str, u64>,
    /// What probes have said of services on new versions.
    pub looks: BTreeMap<&'static str, u64>,
    /// The calls of systems that came late, by what they change and why they were late.
    pub late_calls: BTreeMap<(Step, &'static str), u64>,
    /// The programs that ended as they could not log in, by what makes that nobody's fault.
    pub locked_out: BTreeMap<&'static str, u64>,
    /// What was let pass at the end, by the recorded fact that makes it necessary.
    pub excused: BTreeMap<&'static str, u64>,
    /// What was refused before it was begun, by kind.
    pub refused: BTreeMap<String, u64>,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.worlds += other.worlds;
        self.probed += other.probed;
        self.logging_in += other.logging_in;
        self.services += other.services;
        self.begun += other.begun;
        self.provided += other.provided;
        self.redeployed.0 += other.redeployed.0;
        self.redeployed.1 += other.redeployed.1;
        self.steps += other.steps;
        self.requests += other.requests;
        merge(&mut self.faults, other.faults);
        merge(&mut self.outcomes, other.outcomes);
        merge(&mut self.asked, other.asked);
        merge(&mut self.looks, other.looks);
        merge(&mut self.late_calls, other.late_calls);
        merge(&mut self.locked_out, other.locked_out);
        merge(&mut self.excused, other.excused);
        merge(&mut self.refused, other.refused);
    }
}

fn merge<K: Ord>(into: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} worlds with {} services, {} rotations begun", self.worlds, self.services, self.begun)?;
        writeln!(f, "{} worlds with probes, {} with programs that log in", self.probed, self.logging_in)?;
        writeln!(f, "{} rotations with commands in containers", self.provided)?;
        let (files, repositories) = self.redeployed;
        writeln!(
            f,
            "{files} stacks redeployed from their files, {repositories} from their repositories by their variables"
        )?;
        writeln!(f, "{} steps, {} requests", self.steps, self.requests)?;
        list(f, "what went wrong", &self.faults)?;
        list(f, "what rotations came to", &self.outcomes)?;
        list(f, "why a person is asked", &self.asked)?;
        list(f, "what probes have said", &self.looks)?;
        let late = self.late_calls.iter().map(|((step, how), count)| (format!("{step:?}: {how}"), *count));
        list(f, "calls of systems that came late", &late.collect())?;
        list(f, "why programs could not log in", &self.locked_out)?;
        list(f, "what was excused", &self.excused)?;
        list(f, "refused before they were begun", &self.refused)
    }
}

fn list<K: AsRef<str>>(f: &mut fmt::Formatter<'_>, title: &str, counts: &BTreeMap<K, u64>) -> fmt::Result {
    writeln!(f, "{title}:")?;
    counts.iter().try_for_each(|(key, count)| writeln!(f, "  {count:>9}  {}", key.as_ref()))
}
