//! Durations as people write them: `90s`, `24h`, `0s`, `7d`, `1h30m`.

use std::time::Duration;

/// The units, largest first; within one duration they must stand in this order.
const UNITS: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a duration of weeks to milliseconds, such as `24h` or `1m30s`. Strict, because a grace period that was misread
/// deletes a secret too early: no spaces, no fractions, no bare numbers, each unit once and from large to small.
///
/// # Errors
/// At which character what is wrong, for people.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut units = &UNITS[..];
    while !rest.is_empty() || units.len() == UNITS.len() {
        let at = text.len() - rest.len();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = match rest[..digits].parse() {
            Ok(number) => number,
            Err(_) if digits == 0 => return Err(wrong(at, "a whole number is expected")),
            Err(_) => return Err(wrong(at, "the number is too large")),
        };
        let after = &rest[digits..];
        let letters = after.len() - after.trim_start_matches(|c: char| !c.is_ascii_digit()).len();
        let unit = &after[..letters];
        let Some(place) = units.iter().position(|(name, _)| *name == unit) else {
            return Err(wrong(at + digits, unit_problem(unit)));
        };
        let millis = number.checked_mul(units[place].1).and_then(|ms| total.checked_add(ms));
        total = millis.ok_or_else(|| wrong(at, "the duration is too large"))?;
        units = &units[place + 1..];
        rest = &after[letters..];
    }
    Ok(Duration::from_millis(total))
}

fn unit_problem(unit: &str) -> &'static str {
    if unit.is_empty() {
        "a unit is missing: w, d, h, m, s or ms"
    } else if UNITS.iter().any(|(name, _)| *name == unit) {
        "units stand once each and from large to small, as in 1h30m"
    } else {
        "this is not a unit: w, d, h, m, s or ms"
    }
}

fn wrong(at: usize, why: &str) -> String {
    format!("at character {}: {why} (durations are like 90s, 24h, 7d, 1h30m, 0s)", at + 1)
}

/// Writes a duration as [`parse_duration`] reads it, in at most its two largest units.
#[must_use]
pub fn short(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest >= 1_000 {
        rest -= rest % 1_000;
    }
    let mut out = String::new();
    let mut parts = 0;
    // Weeks are left out: people say "90d", not "12w6d".
    for (name, size) in &UNITS[1..] {
        let count = rest / size;
        if count > 0 && parts < 2 {
            out.push_str(&format!("{count}{name}"));
            parts += 1;
        } else if parts > 0 {
            break;
        }
        rest %= size;
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_ones() {
        for (text, seconds) in [
            ("90s", 90),
            ("24h", 86_400),
            ("0s", 0),
            ("7d", 604_800),
            ("1h30m", 5_400),
            ("2w", 1_209_600),
            ("1d2h3m4s", 93_784),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("1s500ms"), Ok(Duration::from_millis(1_500)));
    }

    #[test]
    fn bad_ones_say_where() {
        for (text, at, why) in [
            ("", 1, "a whole number"),
            ("10", 3, "unit is missing"),
            ("h", 1, "a whole number"),
            ("-5s", 1, "a whole number"),
            ("1.5h", 2, "not a unit"),
            ("5 s", 2, "not a unit"),
            ("30m1h", 5, "from large to small"),
            ("1h1h", 4, "from large to small"),
            ("24H", 3, "not a unit"),
            ("1h30", 5, "unit is missing"),
            ("1é", 2, "not a unit"),
            ("99999999999999999999s", 1, "the number is too large"),
            ("99999999999999999w", 1, "the duration is too large"),
        ] {
            let error = parse_duration(text).expect_err(text);
            assert!(error.starts_with(&format!("at character {at}:")) && error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn short_ones_read_back() {
        for (millis, text) in [(0, "0s"), (90_000, "1m30s"), (86_400_000, "1d"), (93_784_000, "1d2h"), (250, "250ms")] {
            assert_eq!(short(Duration::from_millis(millis)), text);
        }
        assert_eq!(short(Duration::from_secs(86_400 * 90 + 59)), "90d");
    }
}
