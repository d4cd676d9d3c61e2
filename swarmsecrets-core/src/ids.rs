//! Names and numbers that cannot hold a bad value.
//!
//! Everything that ends up in a request path is one of these types, so that a service called `../x` or
//! `--server=…` is refused where it is read and not where it is used.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// Longest name that the Engine takes for a secret, in bytes.
pub const MAX_SECRET_NAME: usize = 64;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes the text if it is well formed.
            ///
            /// # Errors
            /// [`ErrorKind::Invalid`], saying what is wrong with it.
            pub fn new(text: &str) -> Result<Self, Error> {
                match $check(text) {
                    Ok(()) => Ok(Self(text.into())),
                    Err(why) => Err(Error::new(
                        ErrorKind::Invalid,
                        format!(concat!("{} is not a ", $what, ": {}"), quoted(text), why),
                    )),
                }
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self, Error> {
                Self::new(&text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id! {
    /// The Engine's id of a secret: up to 64 ASCII letters and digits.
    SecretId, "secret id", engine_id
}
text_id! {
    /// The Engine's id of a service.
    ServiceId, "service id", engine_id
}
text_id! {
    /// The Engine's id of a task.
    TaskId, "task id", engine_id
}
text_id! {
    /// The Engine's id of a node.
    NodeId, "node id", engine_id
}
text_id! {
    /// The Engine's id of a container.
    ContainerId, "container id", engine_id
}
text_id! {
    /// The Engine's id of a command in a container.
    ExecId, "exec id", engine_id
}
text_id! {
    /// The Engine's id of a Swarm cluster: what tells one Swarm from another.
    ClusterId, "cluster id", engine_id
}
text_id! {
    /// The name of a secret, as the Engine takes it: 1 to 64 of `[a-zA-Z0-9-_.]`, alphanumeric at both ends.
    SecretName, "secret name", secret_name
}
text_id! {
    /// The id of a rotation: `r-` and twenty lower-case hexadecimal digits.
    RotationId, "rotation id", rotation_id
}
text_id! {
    /// The SHA-256 of a plan in its canonical encoding, as 64 lower-case hexadecimal digits.
    PlanDigest, "plan digest", sha256_hex
}
text_id! {
    /// The SHA-256 of a service's spec as the Engine sent it, as 64 lower-case hexadecimal digits.
    SpecDigest, "spec digest", sha256_hex
}
text_id! {
    /// The SHA-256 of the policy that was in force, as 64 lower-case hexadecimal digits.
    PolicyDigest, "policy digest", sha256_hex
}
text_id! {
    /// The SHA-256 of a change request in its canonical encoding, as 64 lower-case hexadecimal digits.
    RequestDigest, "digest of a change request", sha256_hex
}
text_id! {
    /// What makes a change request good for one use: 32 random bytes, as 64 lower-case hexadecimal digits.
    Nonce, "nonce", sha256_hex
}
text_id! {
    /// The name of an approver's key: the first 16 hexadecimal digits of the SHA-256 of its public half.
    KeyId, "key id", key_id
}

fn engine_id(text: &str) -> Result<(), &'static str> {
    match text.len() {
        0 => Err("it is empty"),
        1..=64 if text.bytes().all(|b| b.is_ascii_alphanumeric()) => Ok(()),
        1..=64 => Err("only ASCII letters and digits may stand in it"),
        _ => Err("it is longer than 64 characters"),
    }
}

fn secret_name(text: &str) -> Result<(), &'static str> {
    let ends_well = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        Err("it is empty")
    } else if bytes.len() > MAX_SECRET_NAME {
        Err("it is longer than 64 characters")
    } else if !bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)) {
        Err("only letters, digits, `-`, `_` and `.` may stand in it")
    } else if !(ends_well(bytes.first()) && ends_well(bytes.last())) {
        Err("it must begin and end with a letter or a digit")
    } else {
        Ok(())
    }
}

fn rotation_id(text: &str) -> Result<(), &'static str> {
    match text.strip_prefix("r-") {
        Some(rest) if rest.len() == 20 && rest.bytes().all(is_lower_hex) => Ok(()),
        _ => Err("it is `r-` followed by 20 lower-case hexadecimal digits"),
    }
}

fn sha256_hex(text: &str) -> Result<(), &'static str> {
    if text.len() == 64 && text.bytes().all(is_lower_hex) {
        Ok(())
    } else {
        Err("it is 64 lower-case hexadecimal digits")
    }
}

fn key_id(text: &str) -> Result<(), &'static str> {
    if text.len() == 16 && text.bytes().all(is_lower_hex) {
        Ok(())
    } else {
        Err("it is 16 lower-case hexadecimal digits")
    }
}

fn is_lower_hex(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'a'..=b'f')
}

/// Text from outside, fit to stand in a message: control and bidirectional characters escaped, cut to length.
#[must_use]
pub fn quoted(text: &str) -> String {
    const LIMIT: usize = 80;
    if text.len() <= LIMIT && text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return ["`", text, "`"].concat();
    }
    let mut out = String::from("`");
    for (n, c) in text.chars().enumerate() {
        if n == LIMIT {
            out.push('…');
            break;
        }
        if is_unprintable(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out.push('`');
    out
}

/// Names from outside, each [`quoted`]: `` `a`, `b`, `c` ``.
pub(crate) fn quoted_list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    names.into_iter().map(|name| quoted(name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// Names as people list them in a sentence: `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn listed<S: ToString>(names: impl IntoIterator<Item = S>) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    match (names.pop(), names.as_slice()) {
        (Some(last), []) => last,
        (Some(last), before) => format!("{} and {last}", before.join(", ")),
        (None, _) => String::new(),
    }
}

/// Names from outside in a sentence, each [`quoted`].
pub(crate) fn ticked<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    listed(names.into_iter().map(quoted))
}

/// Words from outside, fit to stand in a message as they are: on one line, with a space for every character that could drive
/// a terminal, and at most `most` characters.
#[must_use]
pub fn one_line(words: &str, most: usize) -> String {
    words.chars().take(most).map(|c| if is_unprintable(c) { ' ' } else { c }).collect()
}

/// Whether a character could move the cursor, colour the terminal or turn the text round.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

impl RotationId {
    /// Makes an id of ten random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 10]) -> Self {
        Self(format!("r-{}", hex(&bytes)).into())
    }
}

impl PlanDigest {
    /// Takes the 32 bytes of a SHA-256.
    #[must_use]
    pub fn from_sha256(bytes: [u8; 32]) -> Self {
        Self(hex(&bytes).into())
    }
}

impl PolicyDigest {
    /// Takes the 32 bytes of a SHA-256.
    #[must_use]
    pub fn from_sha256(bytes: [u8; 32]) -> Self {
        Self(hex(&bytes).into())
    }
}

impl RequestDigest {
    /// Takes the 32 bytes of a SHA-256.
    #[must_use]
    pub fn from_sha256(bytes: [u8; 32]) -> Self {
        Self(hex(&bytes).into())
    }
}

impl Nonce {
    /// Makes a nonce of 32 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(hex(&bytes).into())
    }
}

impl KeyId {
    /// Takes the 32 bytes of the SHA-256 of a public key, of which it keeps the first eight.
    #[must_use]
    pub fn from_sha256(bytes: [u8; 32]) -> Self {
        Self(hex(&bytes[..8]).into())
    }
}

impl SpecDigest {
    /// Takes the 32 bytes of a SHA-256.
    #[must_use]
    pub fn from_sha256(bytes: [u8; 32]) -> Self {
        Self(hex(&bytes).into())
    }
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for digit in bytes.iter().flat_map(|b| [b >> 4, b & 15]) {
        text.push(char::from(DIGITS[usize::from(digit)]));
    }
    text
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id! {
    /// The number of a Portainer environment (`endpoints` in Portainer's paths).
    EnvironmentId(u64)
}
number_id! {
    /// The Engine's `Version.Index` of an object: moves on every write, also on writes of status only.
    SpecVersion(u64)
}
number_id! {
    /// The number of a Portainer stack.
    StackId(u64)
}
number_id! {
    /// The number of a Portainer resource control.
    ControlId(u64)
}
number_id! {
    /// The number of a Portainer team.
    TeamId(u64)
}
number_id! {
    /// The number of a Portainer user.
    UserId(u64)
}

impl FromStr for EnvironmentId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.parse() {
            Ok(n) if n > 0 => Ok(Self(n)),
            _ => Err(Error::new(
                ErrorKind::Invalid,
                format!("{} is not an environment: give its number, a whole number from 1", quoted(text)),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_engine_refuses_are_refused() {
        for bad in ["", "bad name!", "-a", "a-", "a/b", "../x", "a%2f", "a\0", "é", &"a".repeat(65), "--server=x"] {
            let error = SecretName::new(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
        for good in ["a", "db_password", "site.key", "A-b.c_9", &"a".repeat(64)] {
            assert_eq!(SecretName::new(good).expect(good).as_str(), good);
        }
    }

    #[test]
    fn messages_never_carry_control_characters() {
        let error = SecretName::new("a\u{1b}[31m\u{202e}b").unwrap_err().to_string();
        assert!(!error.chars().any(is_unprintable), "{error}");
        assert!(error.contains("\\u{1b}"), "{error}");
    }

    #[test]
    fn words_are_kept_on_one_line_and_cut() {
        assert_eq!(one_line("é\u{1b}[31m\r\n\u{202e}b", 7), "é [31m ");
        assert_eq!(one_line(" `a` ", 9), " `a` ");
    }

    #[test]
    fn names_are_listed_for_people() {
        let names = ["a", "b", "c\u{7}"];
        let of = |n: usize| &names[..n];
        assert_eq!([of(0), of(1), of(2)].map(listed), ["", "a", "a and b"]);
        assert_eq!(ticked(names), "`a`, `b` and `c\\u{7}`");
        assert_eq!([of(0), of(1), of(3)].map(quoted_list), ["", "`a`", "`a`, `b`, `c\\u{7}`"]);
    }

    #[test]
    fn ids_survive_json_and_refuse_tricks() {
        let id: SecretId = serde_json::from_str("\"ucbf1pzvs4bfjvphg4qslh3qf\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"ucbf1pzvs4bfjvphg4qslh3qf\"");
        assert!(serde_json::from_str::<ServiceId>("\"../x\"").is_err());
        assert_eq!(RotationId::from_random([255; 10]).as_str(), "r-ffffffffffffffffffff");
        assert!("r-FF".parse::<RotationId>().is_err());
        assert!("0".parse::<EnvironmentId>().is_err());
    }
}
