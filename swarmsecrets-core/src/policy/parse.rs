//! From the text of a policy to a [`Policy`], or to what is wrong with it, with line and column.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use sha2::{Digest as _, Sha256};
use toml::Spanned;

use super::approvals::Approvals;
use super::audit::AuditSettings;
use super::document::{
    ApprovalEntry, Day, Document, Effect, FreezeEntry, GraceEntry, LimitEntry, PhaseWord, SCHEMA, Select, WindowEntry,
};
use super::due::Schedule;
use super::file::{Grace, KillSwitches, Phase, Policy, Rule, Timed};
use super::hours::{Freeze, Window};
use super::limits::Limit;
use super::selector::Selector;
use super::systems::SystemEntry;
use super::values::Demands;
use crate::duration::parse_duration;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{PolicyDigest, quoted};

/// Something that is wrong, and where in the text.
type Wrong = (Range<usize>, String);

/// The longest policy that is read, in bytes.
const LONGEST: usize = 1024 * 1024;

impl Policy {
    /// Reads a policy. The names of time zones are looked up in `zones`.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], with line and column: it is no TOML, has a key that is not known, a time zone that there is not,
    /// a window that never opens, an entry that can never hold.
    pub fn parse(text: &str, zones: &TimeZoneDatabase) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::new(ErrorKind::Settings, "the policy is longer than 1 MiB"));
        }
        let document: Document = toml::from_str(text).map_err(|error| {
            let at = error.span().unwrap_or_default();
            wrong(text, (at, error.message().to_owned()))
        })?;
        let policy = policy(document, zones).map_err(|found| wrong(text, found))?;
        Ok(Self { digest: digest(text), ..policy })
    }
}

fn digest(text: &str) -> PolicyDigest {
    let sha = Sha256::new().chain_update("swarmsecrets policy 1\n").chain_update(text);
    PolicyDigest::from_sha256(sha.finalize().into())
}

fn wrong(text: &str, (at, why): Wrong) -> Error {
    let before = text.get(..at.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Error::new(ErrorKind::Settings, format!("the policy is not good: line {line}, column {column}: {why}"))
}

fn policy(document: Document, zones: &TimeZoneDatabase) -> Result<Policy, Wrong> {
    let known = *document.schema.get_ref();
    if known != SCHEMA {
        return Err((document.schema.span(), format!("schema {known} is not known, only {SCHEMA}")));
    }
    let mut rules = Vec::new();
    let mut names = BTreeSet::new();
    for entry in document.rules {
        named("rule", &entry.name, &mut names)?;
        if entry.reason.get_ref().trim().is_empty() {
            return Err((entry.reason.span(), "the reason is empty: whoever is stopped is told it".into()));
        }
        let at = entry.select.as_ref().map_or_else(|| entry.name.span(), Spanned::span);
        let selector = optional(entry.select)?;
        if entry.effect == Effect::Allow && selector.asks_for("ai.managed", "false") {
            return Err((at, "what carries ai.managed=false is never touched, so that this can never hold".into()));
        }
        rules.push(Rule {
            name: entry.name.into_inner(),
            effect: entry.effect,
            reason: entry.reason.into_inner(),
            selector,
        });
    }
    // Their order in the file means nothing.
    rules.sort_by(|a, b| a.name.cmp(&b.name));
    let phase = |entry: super::document::PhaseEntry| Ok(Phase { word: entry.phase, selector: select(entry.select)? });
    let mut hours = BTreeSet::new();
    let state = document.state.map(|folder| absolute("folder", folder)).transpose()?;
    let remembered = state.is_some() || document.approval.is_some();
    let limits = limits(document.limits, remembered)?;
    let mut schedules = BTreeSet::new();
    Ok(Policy {
        phase: document.phase,
        default: document.default,
        phases: document.phases.into_iter().map(phase).collect::<Result<_, Wrong>>()?,
        rules,
        windows: document.windows.into_iter().map(|w| window(w, zones, &mut hours)).collect::<Result<_, _>>()?,
        freezes: document.freezes.into_iter().map(|f| freeze(f, zones, &mut hours)).collect::<Result<_, _>>()?,
        values: document.values.into_iter().map(|entry| Demands::new(entry, remembered)).collect::<Result<_, _>>()?,
        grace: document.grace.into_iter().map(grace).collect::<Result<_, _>>()?,
        kill_switch: document.kill_switch.map(kill_switch).transpose()?,
        audit: document.audit.map(AuditSettings::new).transpose()?,
        approvals: approvals(document.approval, document.approvers)?,
        limits,
        rotations: document
            .rotation
            .into_iter()
            .map(|entry| Schedule::new(entry, zones, &mut schedules))
            .collect::<Result<_, _>>()?,
        state,
        expose_values: document.expose_values,
        digest: digest(""),
    })
}

fn approvals(
    entry: Option<ApprovalEntry>,
    systems: BTreeMap<String, Spanned<SystemEntry>>,
) -> Result<Option<Approvals>, Wrong> {
    match (entry, systems.values().next()) {
        (Some(entry), _) => Approvals::new(entry, systems).map(Some),
        (None, None) => Ok(None),
        (None, Some(system)) => {
            let why = "approvers without an `approval` section, which says where change requests lie: give it one";
            Err((system.span(), why.into()))
        }
    }
}

pub(super) fn named(what: &str, name: &Spanned<String>, seen: &mut BTreeSet<String>) -> Result<(), Wrong> {
    let text = name.get_ref();
    if text.trim().is_empty() || text.chars().any(crate::ids::is_unprintable) {
        return Err((name.span(), format!("the name of a {what} must be printable text")));
    }
    if !seen.insert(text.clone()) {
        return Err((name.span(), format!("the name {} is taken: each {what} has its own", quoted(text))));
    }
    Ok(())
}

fn select(entry: Spanned<Select>) -> Result<Selector, Wrong> {
    let at = entry.span();
    Selector::new(entry.into_inner()).map_err(|why| (at, why))
}

/// Without `select`, all is meant.
pub(super) fn optional(entry: Option<Spanned<Select>>) -> Result<Selector, Wrong> {
    entry.map_or_else(|| Ok(Selector::default()), select)
}

pub(super) fn zone(name: &Spanned<String>, zones: &TimeZoneDatabase) -> Result<TimeZone, Wrong> {
    let text = name.get_ref();
    // What is no name of a place would have no changes of the clock, and be right for half of the year.
    zones.get(text).map_err(|_| {
        (
            name.span(),
            format!("there is no time zone {}: give an IANA name, such as `Europe/Berlin` or `UTC`", quoted(text)),
        )
    })
}

fn window(entry: WindowEntry, zones: &TimeZoneDatabase, names: &mut BTreeSet<String>) -> Result<Timed<Window>, Wrong> {
    named("window", &entry.name, names)?;
    let from = time(&entry.from)?;
    let until = match entry.until.get_ref().as_str() {
        "24:00" | "00:00" => None,
        _ => Some(time(&entry.until)?),
    };
    if until == Some(from) {
        let why = "the window closes when it opens: for a whole day, write `from = \"00:00\"` and `until = \"24:00\"`";
        return Err((entry.until.span(), why.into()));
    }
    let days = match &entry.days {
        None => ALL_DAYS.to_vec(),
        Some(days) if days.get_ref().is_empty() => {
            return Err((
                days.span(),
                "`days` is empty, so that the window never opens: leave it out for every day".into(),
            ));
        }
        Some(days) => days.get_ref().iter().map(|day| weekday(*day)).collect(),
    };
    let zone = zone(&entry.zone, zones)?;
    let what = Window { name: entry.name.into_inner(), zone, days, from, until };
    Ok(Timed { what, selector: optional(entry.select)? })
}

fn freeze(entry: FreezeEntry, zones: &TimeZoneDatabase, names: &mut BTreeSet<String>) -> Result<Timed<Freeze>, Wrong> {
    named("freeze", &entry.name, names)?;
    let date = |text: &Spanned<String>| {
        let why = || format!("{} is no day: write it like `2026-12-20`", quoted(text.get_ref()));
        text.get_ref().parse().map_err(|_| (text.span(), why()))
    };
    let (from, until) = (date(&entry.from)?, date(&entry.until)?);
    if until < from {
        return Err((entry.until.span(), "the freeze ends before it begins, and would never hold".into()));
    }
    let zone = zone(&entry.zone, zones)?;
    Ok(Timed { what: Freeze { name: entry.name.into_inner(), zone, from, until }, selector: optional(entry.select)? })
}

fn grace(entry: Spanned<GraceEntry>) -> Result<Grace, Wrong> {
    let (at, entry) = (entry.span(), entry.into_inner());
    let read = |text: &Option<Spanned<String>>| -> Result<Option<Duration>, Wrong> {
        let Some(text) = text else { return Ok(None) };
        parse_duration(text.get_ref()).map(Some).map_err(|why| (text.span(), why))
    };
    let (min, max) = (read(&entry.min)?, read(&entry.max)?);
    match (&entry.min, &entry.max, min, max) {
        (_, Some(text), Some(min), Some(max)) if max < min => {
            Err((text.span(), "the most is less than the least: no grace period would do".into()))
        }
        (None, None, ..) => Err((at, "an entry of `grace` has neither `min` nor `max`, and says nothing".into())),
        _ => Ok(Grace { min, max, selector: optional(entry.select)? }),
    }
}

fn kill_switch(entry: Spanned<super::document::KillSwitchEntry>) -> Result<KillSwitches, Wrong> {
    let (at, entry) = (entry.span(), entry.into_inner());
    if entry.file.is_none() && entry.label.is_none() {
        return Err((at, "the kill switch has neither `file` nor `label`, and could never be turned on".into()));
    }
    let label = entry.label.map(|label| match label.get_ref().trim() {
        "" => Err((label.span(), "the label has no name".to_owned())),
        _ => Ok(label.into_inner()),
    });
    Ok(KillSwitches {
        file: entry.file.map(|file| absolute("file", file)).transpose()?,
        label: label.transpose()?,
        on_kill: entry.on_kill,
    })
}

pub(super) fn absolute(what: &str, path: Spanned<String>) -> Result<String, Wrong> {
    if !path.get_ref().starts_with('/') {
        let text = quoted(path.get_ref());
        let why = format!("{text} is no absolute path: it must mean the same {what} wherever a process begins");
        return Err((path.span(), why));
    }
    Ok(path.into_inner())
}

/// What is counted must be remembered somewhere.
fn limits(entries: Vec<Spanned<LimitEntry>>, remembered: bool) -> Result<Vec<Limit>, Wrong> {
    if let Some(first) = entries.first().filter(|_| !remembered) {
        let why = "limits are counted in a folder that outlasts every process: name it at the top of the file, as in `state = \"/var/lib/swarmsecrets/state\"`";
        return Err((first.span(), why.into()));
    }
    let mut names = BTreeSet::new();
    entries.into_iter().map(|entry| Limit::new(entry, &mut names)).collect()
}

fn time(text: &Spanned<String>) -> Result<Time, Wrong> {
    let written = text.get_ref();
    let short = written.len() == 5 && written.as_bytes()[2] == b':';
    let time: Option<Time> = short.then(|| format!("{written}:00").parse().ok()).flatten();
    time.ok_or_else(|| (text.span(), format!("{} is no time of day: write it like `01:30`", quoted(written))))
}

/// Every day of the week.
pub(super) const ALL_DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn weekday(day: Day) -> Weekday {
    match day {
        Day::Mon => Weekday::Monday,
        Day::Tue => Weekday::Tuesday,
        Day::Wed => Weekday::Wednesday,
        Day::Thu => Weekday::Thursday,
        Day::Fri => Weekday::Friday,
        Day::Sat => Weekday::Saturday,
        Day::Sun => Weekday::Sunday,
    }
}

impl Default for Policy {
    /// The policy that holds where no file is given: everything is automated, and labels alone forbid.
    fn default() -> Self {
        Self {
            phase: PhaseWord::Automated,
            default: Effect::Allow,
            phases: Vec::new(),
            rules: Vec::new(),
            windows: Vec::new(),
            freezes: Vec::new(),
            values: Vec::new(),
            grace: Vec::new(),
            kill_switch: None,
            approvals: None,
            audit: None,
            limits: Vec::new(),
            rotations: Vec::new(),
            state: None,
            expose_values: true,
            digest: digest(""),
        }
    }
}
