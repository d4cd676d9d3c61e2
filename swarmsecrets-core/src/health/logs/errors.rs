//! Which lines tell of errors, and which of them are alike.

use aho_corasick::AhoCorasick;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};

/// What says that a line tells of an error. Matched as the beginning of a word, whatever the case.
const BAD: &[&str] = &[
    "error",
    "fatal",
    "panic",
    "exception",
    "critical",
    "severe",
    "emerg",
    "traceback",
    "failed",
    "failure",
    "denied",
    "refused",
    "cannot",
    "could not",
    "unable to",
    "segfault",
    "err=",
    "[crit]",
    "[alert]",
];

/// What says that it does not, although such a word stands in it.
const GOOD: &[&str] = &[
    "level=info",
    "level=debug",
    "level=trace",
    "\"level\":\"info\"",
    "\"level\":\"debug\"",
    "\"level\":30",
    "[info]",
    "[debug]",
    "[notice]",
    " info ",
    " debug ",
    "0 error",
    "no error",
    "errors=0",
    "error=null",
    "error=nil",
    "err=<nil>",
    "err=nil",
    "errors: 0",
    "error: null",
    "0 failed",
    "failed: 0",
    "failed=0",
    "without error",
];

/// Finds the lines that tell of errors, in one pass over each.
pub(super) struct ErrorSearch {
    words: AhoCorasick,
}

impl ErrorSearch {
    pub(super) fn new() -> Result<Self> {
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(BAD.iter().chain(GOOD))
            .map_err(|e| Error::new(ErrorKind::Invalid, "the words of error lines cannot be set up").with_source(e))?;
        Ok(Self { words })
    }

    pub(super) fn is_error(&self, line: &[u8]) -> bool {
        let mut bad = false;
        for found in self.words.find_overlapping_iter(line) {
            let before = found.start().checked_sub(1).and_then(|at| line.get(at)).copied().unwrap_or(b' ');
            if found.pattern().as_usize() >= BAD.len() {
                // `10 errors` is not `0 errors`.
                if !before.is_ascii_digit() {
                    return false;
                }
            } else {
                bad |= starts_word(line, found.start(), before);
            }
        }
        bad
    }
}

/// A word begins here: after no letter, or as a hump of a name such as `NullPointerException`.
fn starts_word(line: &[u8], at: usize, before: u8) -> bool {
    !before.is_ascii_alphabetic() || (before.is_ascii_lowercase() && line.get(at).is_some_and(u8::is_ascii_uppercase))
}

/// Tells lines apart by their fixed words: sixteen bits, from which no line can be guessed back.
///
/// Words with a digit, what stands in quotes, and words of more than 20 letters are left out: numbers, times, ids, names, values.
pub(super) fn kind(line: &[u8]) -> u16 {
    let mut hash = Sha256::new();
    let mut words = 0;
    let mut quote = None;
    for word in
        line.split(|b| b.is_ascii_whitespace() || matches!(b, b'=' | b':' | b',' | b';' | b'(' | b')' | b'[' | b']'))
    {
        let ends = quote.is_some_and(|quote| word.ends_with(&[quote]));
        let begins =
            quote.is_none().then(|| word.first().copied().filter(|b| matches!(b, b'"' | b'\'' | b'`'))).flatten();
        let inside = quote.is_some() || begins.is_some();
        if let Some(begun) = begins.filter(|begun| word.len() == 1 || !word.ends_with(&[*begun])) {
            quote = Some(begun);
        } else if ends {
            quote = None;
        }
        if !inside && (1..=20).contains(&word.len()) && word.iter().all(|b| b.is_ascii_alphabetic() || *b == b'.') {
            hash.update(word);
            hash.update(b" ");
            words += 1;
        }
        // The beginning of a line tells its kind; its end is often somebody's input.
        if words == 12 {
            break;
        }
    }
    let digest = hash.finalize();
    u16::from_be_bytes([digest[0], digest[1]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_lines_are_told_from_others() {
        let search = ErrorSearch::new().unwrap();
        for line in [
            "ERROR something broke",
            "2026-11-21 [crit] 7#7: *1 open() failed",
            "java.lang.NullPointerException: null",
            "thread 'main' panicked at src/main.rs:1",
            "10 errors in the batch",
            "Traceback (most recent call last):",
            "could not connect",
        ] {
            assert!(search.is_error(line.as_bytes()), "{line}");
        }
        for line in [
            "level=info msg=\"retried after an error\"",
            "batch done: 0 errors",
            "done errors=0",
            "terror in the title of a book",
            "GET /healthz 200",
            "",
        ] {
            assert!(!search.is_error(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn lines_that_differ_in_numbers_ids_times_and_quotes_are_of_one_kind() {
        let one = kind(b"12:00:01 ERROR order 17 of \"jane doe\" failed: timeout after 30s (request 4f2a)");
        assert_eq!(one, kind(b"12:03:59 ERROR order 9921 of \"john\" failed: timeout after 5s (request 99bc)"));
        assert_ne!(one, kind(b"12:00:01 ERROR order 17 of \"jane doe\" failed: refused"));
        assert_eq!(kind(b"error user 'a b' gone"), kind(b"error user 'c' gone"));
    }
}
