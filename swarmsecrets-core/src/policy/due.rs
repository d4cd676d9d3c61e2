//! When a secret is to be rotated: by age, by calendar, or before a day.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::document::{Action, RotationEntry};
use super::file::Policy;
use super::parse::{named, optional, zone};
use super::selector::{Act, Selector, Way};
use crate::ids::quoted;
use crate::inventory::label::ROTATION_POLICY;
use crate::inventory::{Inventory, LogicalSecret, greatest_age};

/// When what it selects is to be rotated.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    name: String,
    when: When,
    selector: Selector,
}

#[derive(Clone, Debug)]
enum When {
    /// When the current version has this age.
    Age(Duration),
    /// At the next of these times after the current version was made.
    Calendar { cron: Box<Cron>, zone: TimeZone },
    /// When this day begins, if the current version was made before.
    Day { day: Date, zone: TimeZone },
}

/// When a secret is to be rotated, and what says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The logical secret.
    pub secret: String,
    /// From when on it is due.
    pub at: Timestamp,
    /// What says so: an entry of a policy, or a label.
    pub by: String,
}

impl Due {
    /// Whether it is to be rotated now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.at <= now
    }
}

/// As in "due at 2026-05-07T21:09:36Z (rotation `databases`)".
impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "due at {} ({})", self.at, self.by)
    }
}

impl Schedule {
    /// # Errors
    /// Where and why it never comes, or says nothing.
    pub(super) fn new(
        entry: Spanned<RotationEntry>,
        zones: &TimeZoneDatabase,
        names: &mut BTreeSet<String>,
    ) -> Result<Self, (Range<usize>, String)> {
        let (whole, entry) = (entry.span(), entry.into_inner());
        named("rotation", &entry.name, names)?;
        let in_zone = |text: &Spanned<String>| match &entry.zone {
            Some(name) => zone(name, zones),
            None => Err((
                text.span(),
                "a day and a time of day need a time zone: add `zone = \"Europe/Berlin\"`, say".to_owned(),
            )),
        };
        let when = match (&entry.every, &entry.cron, &entry.expires) {
            (Some(text), None, None) => {
                if let Some(zone) = &entry.zone {
                    return Err((zone.span(), "an age is the same in every time zone: leave it out".into()));
                }
                When::Age(age(text)?)
            }
            (None, Some(text), None) => calendar(text, in_zone(text)?)?,
            (None, None, Some(text)) => {
                let why = || format!("{} is no day: write it like `2027-03-01`", quoted(text.get_ref()));
                let day = text.get_ref().parse().map_err(|_| (text.span(), why()))?;
                When::Day { day, zone: in_zone(text)? }
            }
            _ => {
                let why = "an entry of `rotation` has one of `every`, `cron` and `expires`: write an entry for each";
                return Err((whole, why.into()));
            }
        };
        Ok(Self { name: entry.name.into_inner(), when, selector: optional(entry.select)? })
    }

    /// When a version that was made then is to be replaced.
    fn after(&self, made: Timestamp) -> Option<Timestamp> {
        match &self.when {
            When::Age(age) => Some(aged(made, *age)),
            When::Calendar { cron, zone } => {
                let next = cron.find_next_occurrence(&made.to_zoned(zone.clone()), false).ok()?;
                Some(next.timestamp())
            }
            When::Day { day, zone } => {
                let begins = day.to_zoned(zone.clone()).ok()?.timestamp();
                (made < begins).then_some(begins)
            }
        }
    }
}

impl Policy {
    /// When the current version of a secret, which was made then, is to be replaced, as each entry has it that selects the secret.
    /// Labels are not asked: [`due`] asks them too.
    pub fn rotations(&self, act: &Act<'_>, made: Timestamp) -> impl Iterator<Item = Due> {
        let held = self.rotations.iter().filter(|entry| entry.selector.holds(act, Way::Tightens));
        held.filter_map(move |entry| {
            let by = format!("rotation {}", quoted(&entry.name));
            Some(Due { secret: act.secret.to_owned(), at: entry.after(made)?, by })
        })
    }
}

/// When a secret is to be rotated: the soonest of what policies and its label `rotation-policy` say. None if nothing does. A
/// label that is not understood says nothing; [`Inventory`] has that as a finding.
#[must_use]
pub fn due<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    inventory: &Inventory,
    secret: &LogicalSecret,
) -> Option<Due> {
    let (current, act) = (secret.current(), Act::on(inventory, secret, Action::Rotate, None));
    let said = policies.into_iter().flat_map(|policy| policy.rotations(&act, current.created).collect::<Vec<_>>());
    let label = current.labels.get(ROTATION_POLICY).and_then(greatest_age);
    let label = label.map(|age| Due {
        secret: secret.name.clone(),
        at: aged(current.created, age),
        by: format!("its label {ROTATION_POLICY}"),
    });
    // Of several that say the same moment, the label comes last: the operator's word is the better reason.
    said.chain(label).min_by_key(|due| due.at)
}

/// When each secret of a Swarm is to be rotated of which something says so, the soonest first.
#[must_use]
pub fn all_due(policies: &[&Policy], inventory: &Inventory) -> Vec<Due> {
    let one = |secret: &LogicalSecret| due(policies.iter().copied(), inventory, secret);
    let mut found: Vec<Due> = inventory.secrets.iter().filter_map(one).collect();
    found.sort_by(|a, b| (a.at, &a.secret).cmp(&(b.at, &b.secret)));
    found
}

fn aged(made: Timestamp, age: Duration) -> Timestamp {
    made.checked_add(age).unwrap_or(Timestamp::MAX)
}

fn age(text: &Spanned<String>) -> Result<Duration, (Range<usize>, String)> {
    greatest_age(text.get_ref()).ok_or_else(|| {
        let why = "is no age: write monthly, weekly, daily, quarterly, yearly, 90d or 24h, or a calendar as `cron`";
        (text.span(), format!("{} {why}", quoted(text.get_ref())))
    })
}

/// Five fields: minute, hour, day of the month, month, day of the week.
fn calendar(text: &Spanned<String>, zone: TimeZone) -> Result<When, (Range<usize>, String)> {
    let written = text.get_ref();
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let five = written.split_whitespace().count() == 5;
    let cron = five.then(|| parser.parse(written).ok()).flatten().ok_or_else(|| {
        let why =
            "is no calendar: write minute, hour, day of the month, month and day of the week, such as `0 3 1 * *`";
        (text.span(), format!("{} {why}", quoted(written)))
    })?;
    // The 30th of February is well written and never comes.
    match cron.find_next_occurrence(&Timestamp::UNIX_EPOCH.to_zoned(zone.clone()), false) {
        Ok(_) => Ok(When::Calendar { cron: Box::new(cron), zone }),
        Err(_) => Err((text.span(), format!("the times of {} never come", quoted(written)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::EnvironmentId;
    use crate::inventory::Labels;
    use crate::policy::test_zones::zones;

    fn said(entry: &str, made: &str) -> Vec<String> {
        let text = format!("schema = 1\n[[rotation]]\nname = 'r'\n{entry}");
        let policy = Policy::parse(&text, &zones()).unwrap();
        let labels: Labels = [("tier".to_owned(), "high".to_owned())].into_iter().collect();
        let act = Act {
            action: Action::Rotate,
            agent: None,
            environment: EnvironmentId(3),
            secret: "db",
            versions: vec![("db", &labels)],
            services: Vec::new(),
            stacks: Vec::new(),
            owner: None,
        };
        policy.rotations(&act, made.parse().unwrap()).map(|due| due.at.to_string()).collect()
    }

    #[test]
    fn an_age_counts_from_when_the_version_was_made() {
        assert_eq!(said("every = '90d'", "2026-05-07T12:00:00Z"), ["2026-08-05T12:00:00Z"]);
        assert_eq!(said("every = 'monthly'", "2026-05-07T12:00:00Z"), ["2026-06-06T12:00:00Z"]);
        assert_eq!(said("every = 'weekly'\nselect = { labels = { tier = 'high' } }", "2026-05-07T12:00:00Z").len(), 1);
        assert!(said("every = 'weekly'\nselect = { secrets = ['key'] }", "2026-05-07T12:00:00Z").is_empty());
    }

    /// In Berlin the clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
    #[test]
    fn a_calendar_is_that_of_its_zone() {
        let berlin = |cron: &str, made| said(&format!("cron = '{cron}'\nzone = 'Europe/Berlin'"), made);
        assert_eq!(berlin("0 3 1 * *", "2026-05-07T12:00:00Z"), ["2026-06-01T01:00:00Z"]);
        assert_eq!(
            berlin("0 3 1 * *", "2026-06-01T01:00:00Z"),
            ["2026-07-01T01:00:00Z"],
            "one that was made then is good"
        );
        assert_eq!(berlin("0 3 1 * *", "2026-11-07T12:00:00Z"), ["2026-12-01T02:00:00Z"], "in winter");
        assert_eq!(berlin("30 1 * * SUN", "2026-05-07T12:00:00Z"), ["2026-05-09T23:30:00Z"]);
        assert_eq!(
            berlin("30 2 25 10 *", "2026-05-07T12:00:00Z"),
            ["2026-10-25T00:30:00Z"],
            "the first time that it is 02:30"
        );
        let skipped = berlin("30 2 29 3 *", "2026-03-07T12:00:00Z");
        assert_eq!(skipped, ["2026-03-29T01:00:00Z"], "a time that is skipped is taken as the clocks change");
    }

    #[test]
    fn a_day_is_due_as_it_begins_and_only_for_what_was_made_before() {
        let day = "expires = '2027-03-01'\nzone = 'Europe/Berlin'";
        assert_eq!(said(day, "2026-05-07T12:00:00Z"), ["2027-02-28T23:00:00Z"]);
        assert_eq!(said(day, "2027-02-28T22:59:59Z"), ["2027-02-28T23:00:00Z"]);
        assert!(said(day, "2027-02-28T23:00:00Z").is_empty());
    }

    #[test]
    fn it_is_due_from_its_moment_on() {
        let due = Due { secret: "db".into(), at: "2026-05-07T12:00:00Z".parse().unwrap(), by: "rotation `r`".into() };
        assert!(due.is_due(due.at) && !due.is_due("2026-05-07T11:59:59Z".parse().unwrap()));
        assert_eq!(due.to_string(), "due at 2026-05-07T12:00:00Z (rotation `r`)");
    }
}
