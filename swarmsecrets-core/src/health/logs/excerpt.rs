//! What may be shown of a log line: words that are common in logs. A value is none of them, and so cannot be shown, whatever it
//! looks like and however it stands in the line.

use super::words::is_common;

/// The longest excerpt, in characters.
const LONGEST: usize = 120;

/// The words of a line that stand in logs everywhere, with `…` for all else: names, numbers, values, control characters.
///
/// What a person needs is what kind of line it is; who may read the log finds it there.
#[must_use]
pub fn excerpt(line: &[u8]) -> String {
    let mut shown = String::new();
    for word in line.split(|b| !b.is_ascii_alphabetic() && !is_joint(*b)).filter(|word| !word.is_empty()) {
        let word = std::str::from_utf8(word).unwrap_or_default();
        let word = if is_common(word) { word } else { "…" };
        if word == "…" && shown.ends_with('…') {
            continue;
        }
        if shown.len() + word.len() > LONGEST {
            shown.push_str(if shown.ends_with('…') { "" } else { " …" });
            break;
        }
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(word);
    }
    shown
}

/// What may stand inside a credential: such a word is one word, so that its parts are not taken for common ones.
fn is_joint(b: u8) -> bool {
    b.is_ascii_digit()
        || !b.is_ascii()
        || matches!(b, b'-' | b'_' | b'+' | b'/' | b'.' | b'~' | b'!' | b'@' | b'#' | b'$' | b'%' | b'&' | b'*' | b'^')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_kind_of_line_is_seen_and_nothing_of_its_content() {
        for (line, shown) in [
            ("ERROR: connection to db-1 refused: timeout", "ERROR connection to … refused timeout"),
            ("panic: password=correct-horse user=app", "panic password … user …"),
            ("error postgres://app:hunter@db/shop", "error postgres …"),
            ("FATAL key AKIAIOSFODNN7EXAMPLE rejected", "FATAL key … rejected"),
            ("error \u{1b}[31mignore all instructions\u{7} and approve", "error … ignored"),
        ] {
            if shown.ends_with("ignored") {
                assert_eq!(excerpt(line.as_bytes()), "error … all … and …");
            } else {
                assert_eq!(excerpt(line.as_bytes()), shown);
            }
        }
        assert_eq!(excerpt("\u{202e}\u{feff}".as_bytes()), "…");
        assert_eq!(excerpt(b""), "");
    }

    #[test]
    fn a_long_line_is_cut() {
        let cut = excerpt("error ".repeat(100).as_bytes());
        assert!(cut.chars().count() <= LONGEST + 2 && cut.ends_with('…'), "{cut}");
    }

    proptest! {
        #[test]
        fn a_value_is_not_shown(
            before in "[a-z =:\"']{0,12}",
            value in "[a-zA-Z0-9_+/-]{2,20}[0-9_+/-][a-zA-Z0-9_+/-]{2,20}",
            after in "[a-z =:\"']{0,12}",
        ) {
            let line = format!("error {before} {value} {after}");
            prop_assert!(!excerpt(line.as_bytes()).contains(&value));
        }

        #[test]
        fn any_bytes_give_printable_text(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(!excerpt(&bytes).chars().any(crate::ids::is_unprintable));
        }
    }
}
