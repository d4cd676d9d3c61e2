//! The characters that a value may be made of.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::ids::quoted;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";

/// A set of ASCII characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Alphabet {
    /// Letters and digits: 62 characters, safe in shells, URLs and most configuration files.
    #[default]
    Alnum,
    /// Lower-case hexadecimal digits.
    Hex,
    /// Letters, digits, `-` and `_`.
    Base64Url,
    /// Decimal digits.
    Digits,
    /// All printable ASCII but the space: 94 characters.
    Printable,
    /// These characters, each once.
    Chars(String),
}

impl Alphabet {
    /// Takes a name, or `chars:` with the characters behind it.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], saying what is possible.
    pub fn new(text: &str) -> Result<Self> {
        if let Some(chars) = text.strip_prefix("chars:") {
            return Self::of(chars);
        }
        match text {
            "alnum" => Ok(Self::Alnum),
            "hex" => Ok(Self::Hex),
            "base64url" => Ok(Self::Base64Url),
            "digits" => Ok(Self::Digits),
            "printable" => Ok(Self::Printable),
            other => Err(invalid(format!(
                "there is no alphabet {}: use alnum, hex, base64url, digits, printable, or chars: with the characters themselves",
                quoted(other)
            ))),
        }
    }

    fn of(chars: &str) -> Result<Self> {
        if let Some(bad) = chars.chars().find(|c| !(c.is_ascii_graphic() || *c == ' ')) {
            let bad = quoted(&bad.to_string());
            return Err(invalid(format!("{bad} cannot stand in an alphabet: only printable ASCII can")));
        }
        if let Some((at, twice)) = chars.char_indices().find(|(at, c)| chars[..*at].contains(*c)) {
            let twice = quoted(&twice.to_string());
            return Err(invalid(format!("{twice} stands twice in the alphabet (again at {})", at + 1)));
        }
        if chars.len() < 2 {
            return Err(invalid("an alphabet has at least two characters".to_owned()));
        }
        Ok(Self::Chars(chars.to_owned()))
    }

    /// Its characters.
    #[must_use]
    pub fn characters(&self) -> Vec<u8> {
        let text = match self {
            Self::Alnum => [UPPER, LOWER, DIGITS].concat(),
            Self::Hex => [DIGITS, "abcdef"].concat(),
            Self::Base64Url => [UPPER, LOWER, DIGITS, "-_"].concat(),
            Self::Digits => DIGITS.to_owned(),
            Self::Printable => ('!'..='~').collect(),
            Self::Chars(chars) => chars.clone(),
        };
        text.into_bytes()
    }
}

impl fmt::Display for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alnum => f.write_str("alnum"),
            Self::Hex => f.write_str("hex"),
            Self::Base64Url => f.write_str("base64url"),
            Self::Digits => f.write_str("digits"),
            Self::Printable => f.write_str("printable"),
            Self::Chars(chars) => write!(f, "chars:{chars}"),
        }
    }
}

pub(super) fn invalid(text: String) -> Error {
    Error::new(ErrorKind::Invalid, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn alphabets_have_each_character_once() {
        for (name, size) in
            [("alnum", 62), ("hex", 16), ("base64url", 64), ("digits", 10), ("printable", 94), ("chars:a,b", 3)]
        {
            let alphabet = Alphabet::new(name).unwrap();
            let set: BTreeSet<u8> = alphabet.characters().into_iter().collect();
            assert_eq!((set.len(), alphabet.characters().len(), alphabet.to_string().as_str()), (size, size, name));
        }
    }

    #[test]
    fn bad_alphabets_are_refused() {
        for bad in ["", "letters", "chars:", "chars:a", "chars:aba", "chars:aé", "chars:a\n"] {
            assert_eq!(Alphabet::new(bad).unwrap_err().kind(), ErrorKind::Invalid, "{bad}");
        }
    }
}
