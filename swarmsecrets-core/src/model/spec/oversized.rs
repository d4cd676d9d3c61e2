//! Integers that Portainer rounds. It decodes answers into 64-bit floats, so that an integer of 2^53 or more that it
//! shows may not be the one that the Engine holds, and writing the spec back would change it.

use std::ops::Range;

use super::places::{items, members};
use crate::error::Result;

const LIMIT: f64 = 9_007_199_254_740_992.0;
const DIGITS: usize = 16;
const DEPTH: usize = 128;

/// The path of the first number of magnitude 2^53 or more, such as `TaskTemplate.Resources.Limits.NanoCPUs`.
///
/// Text that nests deeper than serde_json itself reads is reported by the path where it became too deep.
pub(crate) fn first_oversized(json: &str) -> Option<String> {
    if may_hold_oversized(json.as_bytes()) { search(json, &mut Vec::new()) } else { None }
}

/// A quick look that never misses: 2^53 has 16 digits, and the other way to write so large a number is an exponent.
fn may_hold_oversized(bytes: &[u8]) -> bool {
    has_long_number(bytes) || has_exponent(bytes)
}

/// A run of 16 digits covers eight bytes that begin at a multiple of eight.
fn has_long_number(bytes: &[u8]) -> bool {
    let (words, _) = bytes.as_chunks::<8>();
    let mut digits = words.iter().enumerate().filter(|(_, word)| all_digits(u64::from_le_bytes(**word)));
    digits.any(|(n, _)| long_number_at(bytes, 8 * n))
}

/// Whether each of eight bytes is `0` to `9`: their upper half is 3, also when 6 is added to the lower one.
fn all_digits(word: u64) -> bool {
    const UPPER: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const THREES: u64 = 0x3030_3030_3030_3030;
    const SIXES: u64 = 0x0606_0606_0606_0606;
    (word & UPPER == THREES) & (word.wrapping_add(SIXES) & UPPER == THREES)
}

/// Whether the digits around this place are as many as 2^53 has, and may be a number's.
fn long_number_at(bytes: &[u8], at: usize) -> bool {
    let (before, after) = bytes.split_at(at);
    let run = before.iter().rev().take_while(|b| b.is_ascii_digit()).count()
        + after.iter().take_while(|b| b.is_ascii_digit()).count();
    run >= DIGITS && ends_number(&bytes[..=at])
}

/// Whether a digit is followed by `e`, in what may be a number. Whole blocks are tested without a branch, which compiles
/// to vector instructions; only in a block that has the pattern are the places looked at.
fn has_exponent(bytes: &[u8]) -> bool {
    let mut start = 0;
    while let Some(block) = bytes.get(start..).and_then(|rest| rest.first_chunk::<WINDOW>()) {
        if may_hold_exponent(block) && exponent_at(&bytes[..start + WINDOW], start) {
            return true;
        }
        start += BLOCK;
    }
    exponent_at(bytes, start)
}

const BLOCK: usize = 64;
/// A block and the byte behind it, which the pattern of its last byte reaches into.
const WINDOW: usize = BLOCK + 1;

fn may_hold_exponent(block: &[u8; WINDOW]) -> bool {
    (0..BLOCK).fold(false, |hit, at| hit | begins_exponent(block[at], block[at + 1]))
}

fn begins_exponent(digit: u8, e: u8) -> bool {
    digit.is_ascii_digit() & (e | 0x20 == b'e')
}

fn exponent_at(bytes: &[u8], start: usize) -> bool {
    let mut pairs = bytes[start..].windows(2).enumerate().filter(|(_, pair)| begins_exponent(pair[0], pair[1]));
    pairs.any(|(at, _)| ends_number(&bytes[..=start + at]))
}

/// Whether these bytes end in digits that may be a number's and not a word's, as the hexadecimal of a digest is.
fn ends_number(bytes: &[u8]) -> bool {
    let mut before = bytes.iter().rev().skip_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    match before.next() {
        // Behind a key, not within a word such as `sha256:1e7`.
        Some(b':') => before.find(|b| !b.is_ascii_whitespace()) == Some(&b'"'),
        Some(b) => matches!(b, b',' | b'[' | b' ' | b'\t' | b'\r' | b'\n'),
        None => true,
    }
}

fn search(json: &str, path: &mut Vec<String>) -> Option<String> {
    if path.len() > DEPTH {
        return Some(joined(path));
    }
    let inner: Result<Vec<(String, Range<usize>)>> = match json.as_bytes().first() {
        Some(b'{') => members(json).map(|all| all.into_iter().map(|(key, range)| (key.into_owned(), range)).collect()),
        Some(b'[') => {
            items(json).map(|all| all.into_iter().enumerate().map(|(n, range)| (format!("[{n}]"), range)).collect())
        }
        Some(b'-' | b'0'..=b'9') => {
            let oversized = json.parse::<f64>().map_or(true, |number| number.abs() >= LIMIT);
            return oversized.then(|| joined(path));
        }
        _ => return None,
    };
    // What cannot be read cannot be called safe to write either.
    let Ok(inner) = inner else { return Some(joined(path)) };
    inner.into_iter().find_map(|(name, range)| {
        path.push(name);
        let found = search(&json[range], path);
        path.pop();
        found
    })
}

fn joined(path: &[String]) -> String {
    let mut text = String::new();
    for part in path {
        if !text.is_empty() && !part.starts_with('[') {
            text.push('.');
        }
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(json: &str) -> Option<String> {
        first_oversized(json)
    }

    #[test]
    fn the_field_is_named() {
        let json = r#"{"TaskTemplate":{"Resources":{"Limits":{"NanoCPUs":9007199254740992}}}}"#;
        assert_eq!(found(json).unwrap(), "TaskTemplate.Resources.Limits.NanoCPUs");
        assert_eq!(found(r#"{"a":[1,{"b":[0,-9007199254740993]}]}"#).unwrap(), "a[1].b[1]");
    }

    #[test]
    fn the_limit_is_two_to_the_53rd_in_every_notation() {
        for small in ["9007199254740991", "-9007199254740991", "9e15", "1.5", "-0", "0.0000000000000000000001", "1e-30"]
        {
            assert_eq!(found(&format!(r#"{{"n":{small}}}"#)), None, "{small}");
        }
        for large in ["9007199254740992", "1e16", "1E+16", "9.1e15", "123456789012345678901234567890", "-1e400"] {
            assert_eq!(found(&format!(r#"{{"n": {large}}}"#)).as_deref(), Some("n"), "{large}");
        }
    }

    #[test]
    fn text_is_not_a_number() {
        let digest = "3e5d9e7100".repeat(6);
        for text in ["9007199254740993", "1e99", &digest, "2026-11-21T12:25:16.983749814Z"] {
            assert_eq!(found(&format!(r#"{{"n":"{text}","{text}":0}}"#)), None, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_reported_and_does_not_overflow_the_stack() {
        let deep = format!(r#"{{"a":1e99,"b":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(found(&deep).as_deref(), Some("a"));
        let deep = format!(r#"{{"b":{}1e99{}}}"#, "[".repeat(300), "]".repeat(300));
        assert!(found(&deep).is_some_and(|path| path.starts_with("b[0][0]")));
    }

    proptest! {
        #[test]
        fn the_quick_look_never_misses(prefix in "[ a-z]{0,40}", whole in 9_007_199_254_740_992_u64.., exponent in 16_u32..40) {
            let integer = format!(r#"{{"{prefix}":{whole}}}"#);
            prop_assert_eq!(found(&integer), Some(prefix.clone()));
            for form in ["e", "E", "e+", "E+"] {
                let json = format!(r#"{{"{prefix}":1.5{form}{exponent}}}"#);
                prop_assert_eq!(found(&json), Some(prefix.clone()));
            }
        }
    }
}
