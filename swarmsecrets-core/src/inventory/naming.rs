//! Versions in names: `db_v2`, `db-v2`, `db.v2`, `db_2026-11-21`, `db_20261121T0930`, and `db_2` beside `db`.

use super::NameScheme;

/// A name, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Versioned<'a> {
    /// What stands before the version.
    pub(super) base: &'a str,
    /// How the version is written.
    pub(super) scheme: NameScheme,
    /// Which one it is.
    pub(super) order: Order,
}

/// What orders the versions of one scheme.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// The name has no version in it: it came first.
    Plain,
    /// The number in it.
    Number(u64),
    /// The time in it, as digits from the year to the second and a number within that.
    Time(String),
}

const SEPARATORS: [char; 3] = ['_', '-', '.'];

/// What stands before the version in a name that has one: `db` of `db_v2` and of `db_2026-11-21`.
pub(crate) fn stem(name: &str) -> Option<&str> {
    versioned(name).map(|read| read.base)
}

/// Reads a version that stands for itself: `_v2` with a separator, or a date.
pub(super) fn versioned(name: &str) -> Option<Versioned<'_>> {
    dated(name).or_else(|| v_number(name))
}

fn v_number(name: &str) -> Option<Versioned<'_>> {
    let (rest, number) = trailing_number(name)?;
    let rest = rest.strip_suffix('v')?;
    let (base, separator) = split_separator(rest)?;
    (!base.is_empty()).then(|| Versioned {
        base,
        scheme: NameScheme::V(separator.to_owned()),
        order: Order::Number(number),
    })
}

fn trailing_number(name: &str) -> Option<(&str, u64)> {
    let rest = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &name[rest.len()..];
    // Nine digits are enough for a version and cannot overflow; longer runs are something else.
    if digits.len() > 9 { None } else { digits.parse().ok().map(|number| (rest, number)) }
}

fn split_separator(text: &str) -> Option<(&str, &str)> {
    let base = text.strip_suffix(SEPARATORS)?;
    Some((base, &text[base.len()..]))
}

fn dated(name: &str) -> Option<Versioned<'_>> {
    name.match_indices(SEPARATORS).filter(|(at, _)| *at > 0).find_map(|(at, separator)| {
        let time = time(&name[at + 1..])?;
        Some(Versioned { base: &name[..at], scheme: NameScheme::Date(separator.to_owned()), order: Order::Time(time) })
    })
}

/// Reads `2026-11-21`, `20261121`, each with a time (`T0930`, `-093000`, `_09-30`) or a small number (`.2`) behind it.
fn time(text: &str) -> Option<String> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    let dash = rest.starts_with('-');
    let mut part = || {
        rest = if dash { rest.strip_prefix('-')? } else { rest };
        digits(&mut rest, 2)
    };
    let (month, day) = (part()?, part()?);
    if !((1990..=2199).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)) {
        return None;
    }
    let (clock, ordinal) = clock(rest)?;
    Some(format!("{year:04}{month:02}{day:02}{clock}{ordinal:03}"))
}

/// What may stand behind a date: nothing, a time of day, or a number. Gives six digits and the number.
fn clock(text: &str) -> Option<(String, u32)> {
    if text.is_empty() {
        return Some(("000000".to_owned(), 0));
    }
    let number = text.strip_prefix('.').filter(|n| n.len() <= 3 && n.bytes().all(|b| b.is_ascii_digit()));
    if let Some(number) = number {
        return Some(("000000".to_owned(), number.parse().ok()?));
    }
    let mut rest = text.strip_prefix(['T', 't', '_', '-', '.']).unwrap_or(text);
    let mut parts = [0; 3];
    for (n, part) in parts.iter_mut().enumerate() {
        let next = if n == 0 { rest } else { rest.strip_prefix(['-', '.']).unwrap_or(rest) };
        if n == 2 && matches!(rest, "" | "Z" | "z") {
            break;
        }
        rest = next;
        *part = digits(&mut rest, 2)?;
    }
    let [hour, minute, second] = parts;
    let fits = hour < 24 && minute < 60 && second < 61 && matches!(rest, "" | "Z" | "z");
    fits.then(|| (format!("{hour:02}{minute:02}{second:02}"), 0))
}

/// Takes exactly so many digits off the front.
fn digits(text: &mut &str, count: usize) -> Option<u32> {
    let head = text.get(..count).filter(|head| head.bytes().all(|b| b.is_ascii_digit()))?;
    *text = &text[count..];
    head.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn v_numbers_need_a_separator_to_stand_for_themselves() {
        for (name, base, separator, number) in
            [("db_v2", "db", "_", 2), ("db-v10", "db", "-", 10), ("a.b.v3", "a.b", ".", 3), ("x_v2_v3", "x_v2", "_", 3)]
        {
            let found = versioned(name).unwrap();
            assert_eq!((found.base, found.scheme), (base, NameScheme::V(separator.into())), "{name}");
            assert_eq!(found.order, Order::Number(number), "{name}");
        }
        for name in ["db", "dbv2", "db_v2_backup", "v2", "_v2x", "db_2", "db_admin", "db_v1234567890"] {
            assert_eq!(versioned(name), None, "{name}");
        }
    }

    #[test]
    fn dates_are_read_and_ordered() {
        let order = |name: &str| versioned(name).map(|v| (v.base.to_owned(), v.order));
        let names = [
            "k_20251231",
            "k_2026-11-21",
            "k_20261121.2",
            "k-20261121.10",
            "k_20261121T0930",
            "k_2026-11-21-093001",
            "k.2026-11-21T10-00-00Z",
            "k_20261122",
        ];
        let orders: Vec<_> = names.iter().map(|name| order(name).unwrap_or_else(|| panic!("{name}"))).collect();
        assert!(orders.iter().all(|(base, _)| base == "k"));
        assert!(orders.is_sorted_by(|a, b| a.1 < b.1), "{orders:?}");
        for name in
            ["k_20261301", "k_2026-1121", "k_20261121x", "k_18001121", "20261121", "k_20261121T99", "k_12345678"]
        {
            assert_eq!(order(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_version_is_at_the_end_and_the_base_before_it(name in "[a-z0-9v_.-]{1,24}") {
            if let Some(found) = versioned(&name) {
                prop_assert!(!found.base.is_empty() && name.starts_with(found.base) && name.len() > found.base.len());
            }
        }
    }
}
