//! JSON as Go writes it: `<`, `>` and `&` escaped, every number a double, so that integers above 2^53 are rounded.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// Writes a value as Portainer's Go code does. Objects of [`serde_json::Value`] come out with sorted keys.
pub(super) fn to_vec(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    // Strings, numbers, lists and maps with string keys have no way to fail when written to memory.
    let done = value.serialize(&mut Serializer::with_formatter(&mut out, Go));
    debug_assert!(done.is_ok());
    out
}

struct Go;

impl Formatter for Go {
    fn write_u64<W: ?Sized + io::Write>(&mut self, out: &mut W, value: u64) -> io::Result<()> {
        self.write_f64(out, value as f64)
    }

    fn write_i64<W: ?Sized + io::Write>(&mut self, out: &mut W, value: i64) -> io::Result<()> {
        self.write_f64(out, value as f64)
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        out.write_all(number(value).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let bytes = text.as_bytes();
        // Nearly no text has one: to look for each byte is much quicker than to look at each character.
        if ![b'<', b'>', b'&', 0xe2].iter().any(|special| bytes.contains(special)) {
            return out.write_all(bytes);
        }
        let mut rest = text;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (plain, special) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            let c = special.chars().next().unwrap_or('&');
            write!(out, "\\u{:04x}", u32::from(c))?;
            rest = &special[c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::AsciiControl(byte) => write!(out, "\\u{byte:04x}"),
            CharEscape::Quote => out.write_all(b"\\\""),
            CharEscape::ReverseSolidus => out.write_all(b"\\\\"),
            CharEscape::Solidus => out.write_all(b"/"),
            CharEscape::Backspace => out.write_all(b"\\b"),
            CharEscape::FormFeed => out.write_all(b"\\f"),
            CharEscape::LineFeed => out.write_all(b"\\n"),
            CharEscape::CarriageReturn => out.write_all(b"\\r"),
            CharEscape::Tab => out.write_all(b"\\t"),
        }
    }
}

/// A double as Go's `encoding/json` writes it: the shortest digits that read back, with an exponent only far from 1.
fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
            _ => text,
        };
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn again(text: &str) -> String {
        String::from_utf8(to_vec(&serde_json::from_str::<Value>(text).unwrap())).unwrap()
    }

    #[test]
    fn keys_are_sorted_and_markup_is_escaped() {
        assert_eq!(again(r#"{"keep":"me<&>ü","A":"\u2028"}"#), r#"{"A":"\u2028","keep":"me\u003c\u0026\u003eü"}"#);
    }

    #[test]
    fn integers_above_two_to_the_53_are_rounded() {
        assert_eq!(
            again("[9007199254740993,9007199254740991,-9007199254740993]"),
            "[9007199254740992,9007199254740991,-9007199254740992]"
        );
        assert_eq!(again("[7776000000000000,1.0,0.5,1e3,1e21,1e-7]"), "[7776000000000000,1,0.5,1000,1e+21,1e-7]");
    }

    #[test]
    fn control_characters_survive() {
        let text = "\u{1}\"\\/\u{8}\u{c}\n\r\t";
        assert_eq!(serde_json::from_slice::<Value>(&to_vec(&text)).unwrap(), json!(text));
    }
}
