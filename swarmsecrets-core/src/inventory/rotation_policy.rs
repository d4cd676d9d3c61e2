//! The label `rotation-policy`: how old a secret may get.

use std::time::Duration;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// The greatest age that the policy allows; `None` if it cannot be understood.
pub(crate) fn greatest_age(policy: &str) -> Option<Duration> {
    const WORDS: [(&str, u64); 6] = [
        ("daily", DAY),
        ("weekly", 7 * DAY),
        ("monthly", 30 * DAY),
        ("quarterly", 90 * DAY),
        ("yearly", 365 * DAY),
        ("annually", 365 * DAY),
    ];
    let policy = policy.trim();
    let seconds = match WORDS.iter().find(|(word, _)| policy.eq_ignore_ascii_case(word)) {
        Some((_, seconds)) => *seconds,
        None => counted(policy)?,
    };
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

fn counted(policy: &str) -> Option<u64> {
    let number = policy.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &policy[number.len()..] {
        "s" | "S" => 1,
        "m" | "M" => 60,
        "h" | "H" => HOUR,
        "d" | "D" => DAY,
        "w" | "W" => 7 * DAY,
        _ => return None,
    };
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_words_or_durations() {
        for (policy, days) in
            [("daily", 1), ("Weekly", 7), ("monthly", 30), ("quarterly", 90), ("yearly", 365), ("90d", 90), ("24h", 1)]
        {
            assert_eq!(greatest_age(policy), Some(Duration::from_secs(days * DAY)), "{policy}");
        }
        for bad in ["", "often", "0d", "d", "-1d", "+1d", "1.5d", "99999999999999999999d", "18446744073709551615w", "ü"]
        {
            assert_eq!(greatest_age(bad), None, "{bad}");
        }
    }
}
