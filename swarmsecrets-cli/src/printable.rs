//! Text from a cluster, made fit for a terminal: names and labels are data that anybody may have written.

use std::borrow::Cow;

use swarmsecrets_core::ids::is_unprintable;

/// The text on one line, with what could move the cursor, colour the screen or turn the text round escaped.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unprintable(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// The text with its lines kept, each of them as [`printable`] makes it.
pub(crate) fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// JSON text whose strings cannot drive a terminal either: the same characters are written as `\uXXXX`, which reads back
/// as the same text. Outside strings JSON has none of them but line feeds, which stay.
pub(crate) fn printable_json(json: &str) -> Cow<'_, str> {
    let nasty = |c: char| c != '\n' && is_unprintable(c);
    if !json.contains(nasty) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if nasty(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = "a\u{1b}[31m\u{9b}2J\u{202e}b\u{200b}\n\u{e9}";

    #[test]
    fn nothing_in_a_name_can_drive_a_terminal() {
        assert_eq!(printable("plain \u{e9}"), "plain \u{e9}");
        let shown = printable(NASTY);
        assert!(!shown.contains(is_unprintable), "{shown}");
        assert!(shown.contains("\\u{1b}[31m"), "{shown}");
        assert_eq!(printable_lines("a\nb\u{7}"), "a\nb\\u{7}");
    }

    #[test]
    fn json_is_safe_and_reads_back() {
        let value = serde_json::json!({ NASTY: [NASTY, 1, null, {"a": []}] });
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let safe = printable_json(&text);
            assert!(!safe.replace('\n', "").contains(is_unprintable), "{safe}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        }
    }
}
