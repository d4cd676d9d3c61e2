//! Maintenance windows and freezes: civil times in a time zone, right across changes of the clock.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

/// A time of day on some days of the week, in a time zone.
///
/// A moment is in it if the clocks of that zone show a time in it. A time that the clocks skip never comes, so a window that lies in
/// a skipped hour stays closed that day. Of a time that comes twice the first counts, unless the window is open right before and
/// right after the repetition as well.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) name: String,
    pub(super) zone: TimeZone,
    pub(super) days: Vec<Weekday>,
    pub(super) from: Time,
    /// None for the end of the day.
    pub(super) until: Option<Time>,
}

/// Some days in a time zone, the last one too.
#[derive(Clone, Debug)]
pub(super) struct Freeze {
    pub(super) name: String,
    pub(super) zone: TimeZone,
    pub(super) from: Date,
    pub(super) until: Date,
}

impl Window {
    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        let shown = self.zone.to_datetime(now);
        if !self.shows(shown) {
            return false;
        }
        match self.repeated(now, shown) {
            None => true,
            // The whole repetition lies in the window, and the time right behind it too.
            Some((first, behind)) => self.shows(first) && self.shows(behind),
        }
    }

    /// When it opens next, to the minute; none if that is not within eight days.
    pub(super) fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        const MINUTES: i64 = 8 * 24 * 60;
        let begun = now.as_second().div_euclid(60) * 60;
        let minutes = (1..=MINUTES).filter_map(|n| Timestamp::from_second(begun + 60 * n).ok());
        minutes.into_iter().find(|minute| self.is_open(*minute))
    }

    /// Whether clocks that show this are in it.
    fn shows(&self, shown: DateTime) -> bool {
        let (date, time) = (shown.date(), shown.time());
        let opened = |date: Date| self.days.contains(&date.weekday());
        match self.until {
            None => opened(date) && time >= self.from,
            Some(until) if self.from < until => opened(date) && time >= self.from && time < until,
            Some(until) => {
                let yesterday = date.checked_sub(1.day()).is_ok_and(opened);
                (opened(date) && time >= self.from) || (yesterday && time < until)
            }
        }
    }

    /// The first time that is shown twice and the first that is not any more, if this is the second time of one.
    fn repeated(&self, now: Timestamp, shown: DateTime) -> Option<(DateTime, DateTime)> {
        let ambiguous = self.zone.to_ambiguous_timestamp(shown);
        let AmbiguousOffset::Fold { before, .. } = ambiguous.offset() else { return None };
        if ambiguous.later().ok()? != now {
            return None;
        }
        let change = self.zone.preceding(now.checked_add(1.nanosecond()).ok()?).next()?.timestamp();
        Some((self.zone.to_datetime(change), before.to_datetime(change)))
    }
}

impl Freeze {
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        let today = self.zone.to_datetime(now).date();
        self.from <= today && today <= self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::parse::ALL_DAYS;
    use crate::policy::test_zones::zones;

    fn window(from: &str, until: &str, days: &[Weekday]) -> Window {
        let until = (until != "24:00").then(|| until.parse().unwrap());
        let zone = zones().get("Europe/Berlin").unwrap();
        Window { name: "nights".into(), zone, days: days.to_vec(), from: from.parse().unwrap(), until }
    }

    fn open(window: &Window, at: &str) -> bool {
        window.is_open(at.parse().unwrap())
    }

    #[test]
    fn a_window_is_open_from_its_first_moment_to_before_its_last() {
        let nights = window("01:30", "05:00", &ALL_DAYS);
        for (at, is) in [
            ("2026-11-22T00:29:59.999Z", false),
            ("2026-11-22T00:30:00Z", true),
            ("2026-11-22T03:59:59.999Z", true),
            ("2026-11-22T04:00:00Z", false),
        ] {
            assert_eq!(open(&nights, at), is, "{at}");
        }
        let evening = window("22:00", "24:00", &ALL_DAYS);
        assert!(open(&evening, "2026-11-22T22:59:59Z") && !open(&evening, "2026-11-22T23:00:00Z"));
    }

    #[test]
    fn a_window_across_midnight_belongs_to_the_day_on_which_it_opens() {
        let friday = window("23:00", "02:00", &[Weekday::Friday]);
        for (at, is) in [
            ("2026-11-20T22:30:00Z", true),
            ("2026-11-21T00:30:00Z", true),
            ("2026-11-21T01:00:00Z", false),
            ("2026-11-20T00:30:00Z", false),
            ("2026-11-21T22:30:00Z", false),
        ] {
            assert_eq!(open(&friday, at), is, "{at}");
        }
    }

    /// In Berlin the clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25, at 01:00 UTC.
    #[test]
    fn an_hour_that_is_skipped_is_closed_and_one_that_comes_twice_is_open_once() {
        let two = window("02:00", "03:00", &ALL_DAYS);
        for minute in 0..180 {
            let at =
                Timestamp::from_second("2026-03-29T00:00:00Z".parse::<Timestamp>().unwrap().as_second() + 60 * minute);
            assert!(!two.is_open(at.unwrap()), "minute {minute}");
        }
        let began: Timestamp = "2026-10-24T23:00:00Z".parse().unwrap();
        let opened = (0..240).filter(|n| two.is_open(Timestamp::from_second(began.as_second() + 60 * n).unwrap()));
        assert_eq!(opened.collect::<Vec<_>>(), (60..120).collect::<Vec<_>>(), "the first 02:00 to 03:00 alone");
        let long = window("01:00", "04:00", &ALL_DAYS);
        let opened = (0..300).filter(|n| long.is_open(Timestamp::from_second(began.as_second() + 60 * n).unwrap()));
        assert_eq!(opened.collect::<Vec<_>>(), (0..240).collect::<Vec<_>>(), "four hours without a break");
        let late = window("02:30", "04:00", &ALL_DAYS);
        let opened = (0..300).filter(|n| late.is_open(Timestamp::from_second(began.as_second() + 60 * n).unwrap()));
        let wanted: Vec<i64> = (90..120).chain(180..240).collect();
        assert_eq!(opened.collect::<Vec<_>>(), wanted, "what comes twice is open once");
    }

    #[test]
    fn the_next_opening_is_told() {
        let sunday = window("02:00", "03:00", &[Weekday::Sunday]);
        let opens = |at: &str| sunday.opens(at.parse().unwrap()).unwrap().to_string();
        assert_eq!(opens("2026-11-22T10:00:30Z"), "2026-11-29T01:00:00Z");
        assert_eq!(opens("2026-03-28T10:00:00Z"), "2026-04-05T00:00:00Z", "it stays closed on the day of the change");
    }

    #[test]
    fn a_freeze_holds_from_its_first_day_to_the_end_of_its_last() {
        let zone = zones().get("Europe/Berlin").unwrap();
        let (from, until) = ("2026-12-20".parse().unwrap(), "2026-12-31".parse().unwrap());
        let freeze = Freeze { name: "year".into(), zone, from, until };
        for (at, is) in [
            ("2026-12-19T22:59:59Z", false),
            ("2026-12-19T23:00:00Z", true),
            ("2026-12-31T22:59:59Z", true),
            ("2026-12-31T23:00:00Z", false),
        ] {
            assert_eq!(freeze.holds(at.parse().unwrap()), is, "{at}");
        }
    }
}
