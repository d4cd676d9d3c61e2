//! Durations, sizes and shares of processors as compose files write them.

use super::answer::CannotTell;
use super::field::Field;

const NANO: u64 = 1_000_000_000;

/// A duration such as `1m30s`, in nanoseconds.
pub(super) fn nanos(field: &Field<'_>) -> Result<u64, CannotTell> {
    duration(field.text()?).map_or_else(|| field.cannot("it is not a duration such as `1m30s`"), Ok)
}

/// A size such as `64M`, in bytes.
pub(super) fn bytes(field: &Field<'_>) -> Result<u64, CannotTell> {
    size(field.text()?).map_or_else(|| field.cannot("it is not a size such as `64M`"), Ok)
}

/// A share of processors such as `0.5`, in billionths.
pub(super) fn cpus(field: &Field<'_>) -> Result<u64, CannotTell> {
    decimal(field.text()?, NANO).map_or_else(|| field.cannot("it is not a number of processors such as `0.5`"), Ok)
}

fn duration(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    if rest == "0" {
        return Some(0);
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| c != '.' && !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at(end);
        let end = behind.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let unit = match unit {
            "h" => 3600 * NANO,
            "m" => 60 * NANO,
            "s" => NANO,
            "ms" => 1_000_000,
            "us" | "µs" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        total = total.checked_add(decimal(number, unit)?)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(total)
}

fn size(text: &str) -> Option<u64> {
    let end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let power = match unit.as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return None,
    };
    decimal(number, 1024_u64.pow(power))
}

/// A decimal number times a factor, if that is a whole number.
fn decimal(text: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let part = fraction.parse::<u128>().ok()? * u128::from(factor);
    let whole = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    if part % scale != 0 {
        return None;
    }
    whole.checked_add(u64::try_from(part / scale).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_does() {
        for (text, nanos) in [
            ("1m30s", Some(90 * NANO)),
            ("1.5s", Some(NANO + NANO / 2)),
            ("500ms", Some(NANO / 2)),
            ("1h0m5s", Some(3605 * NANO)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("5", None),
            ("", None),
            ("s", None),
            ("1d", None),
            ("-1s", None),
        ] {
            assert_eq!(duration(text), nanos, "{text}");
        }
    }

    #[test]
    fn sizes_count_in_1024() {
        for (text, bytes) in [
            ("64M", Some(64 << 20)),
            ("64mb", Some(64 << 20)),
            ("1.5GiB", Some(3 << 29)),
            ("50 k", Some(50 << 10)),
            ("100", Some(100)),
            ("1.3k", None),
            ("1x", None),
            ("", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
        assert_eq!(
            (decimal("0.50", NANO), decimal("2", NANO), decimal(".5", NANO)),
            (Some(NANO / 2), Some(2 * NANO), None)
        );
    }
}
