//! What a value is to be like.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Alphabet;
use super::alphabet::invalid;
use crate::error::{Error, Result};
use crate::ids::quoted;
use crate::secret::MAX_VALUE_BYTES;

/// How long a value is and what it is made of. Written as `32`, or `length=32,alphabet=hex`; an alphabet of
/// `chars:…` comes last, since everything behind the colon belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GenerateSpec {
    length: usize,
    alphabet: Alphabet,
}

impl Default for GenerateSpec {
    /// 32 letters and digits: about 190 bits.
    fn default() -> Self {
        Self { length: 32, alphabet: Alphabet::Alnum }
    }
}

impl GenerateSpec {
    /// Asks for so many characters of an alphabet.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if a Swarm secret cannot have that length.
    pub fn new(length: usize, alphabet: Alphabet) -> Result<Self> {
        if (1..=MAX_VALUE_BYTES).contains(&length) {
            return Ok(Self { length, alphabet });
        }
        Err(invalid(format!(
            "a value of {length} characters cannot be made: a Swarm secret holds 1 to {MAX_VALUE_BYTES}"
        )))
    }

    /// How many characters.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Of which alphabet.
    #[must_use]
    pub fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }
}

impl FromStr for GenerateSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (mut length, mut alphabet) = (None, None);
        let mut rest = text;
        while !rest.is_empty() {
            let own_commas = rest.starts_with("alphabet=chars:");
            let (item, behind) = if own_commas { (rest, "") } else { rest.split_once(',').unwrap_or((rest, "")) };
            match item.split_once('=').unwrap_or(("length", item)) {
                ("length", number) if length.is_none() => length = Some(counted(number)?),
                ("alphabet", name) if alphabet.is_none() => alphabet = Some(Alphabet::new(name)?),
                (key @ ("length" | "alphabet"), _) => return Err(invalid(format!("{key} is given twice: {}", form()))),
                (key, _) => return Err(invalid(format!("{} is not known: {}", quoted(key), form()))),
            }
            rest = behind;
        }
        if length.is_none() && alphabet.is_none() {
            return Err(invalid(format!("what to generate is missing: {}", form())));
        }
        let default = Self::default();
        Self::new(length.unwrap_or(default.length), alphabet.unwrap_or(default.alphabet))
    }
}

fn counted(number: &str) -> Result<usize> {
    number.parse().map_err(|_| invalid(format!("{} is not a length: {}", quoted(number), form())))
}

fn form() -> &'static str {
    "write a length such as 32, or length=32,alphabet=alnum|hex|base64url|digits|printable|chars:…"
}

impl TryFrom<String> for GenerateSpec {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<GenerateSpec> for String {
    fn from(spec: GenerateSpec) -> Self {
        spec.to_string()
    }
}

impl fmt::Display for GenerateSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "length={},alphabet={}", self.length, self.alphabet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<String> {
        text.parse::<GenerateSpec>().map(|spec| spec.to_string())
    }

    #[test]
    fn specs_are_read_in_their_short_and_long_forms() {
        for (text, whole) in [
            ("32", "length=32,alphabet=alnum"),
            ("64,alphabet=hex", "length=64,alphabet=hex"),
            ("alphabet=digits", "length=32,alphabet=digits"),
            ("alphabet=base64url,length=5", "length=5,alphabet=base64url"),
            ("length=8,alphabet=chars:a,b=", "length=8,alphabet=chars:a,b="),
        ] {
            assert_eq!(read(text).unwrap(), whole, "{text}");
        }
    }

    #[test]
    fn bad_specs_are_refused_with_the_form() {
        for bad in
            ["", "0", "-1", "512000", "long", "32,32", "length=", "alphabet=", "size=3", "alphabet=hex,alphabet=hex"]
        {
            let error = bad.parse::<GenerateSpec>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
        }
        assert!(read("abc").unwrap_err().message().contains("length=32"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(length in 1_usize..=MAX_VALUE_BYTES, chars in prop::collection::btree_set(prop::char::range(' ', '~'), 2..20)) {
            let alphabet = Alphabet::new(&format!("chars:{}", chars.into_iter().collect::<String>())).unwrap();
            let spec = GenerateSpec::new(length, alphabet).unwrap();
            let json = serde_json::to_string(&spec).unwrap();
            prop_assert_eq!(serde_json::from_str::<GenerateSpec>(&json).unwrap(), spec);
        }
    }
}
