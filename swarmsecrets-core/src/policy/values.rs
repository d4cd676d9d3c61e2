//! What new values must be like.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use regex::bytes::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::decision::Decision;
use super::document::Select;
use super::file::Policy;
use super::parse::{absolute, optional};
use super::past::LONGEST_HISTORY;
use super::selector::{Act, Selector, Way};
use super::words::WordLists;
use crate::generate::{Alphabet, GenerateSpec};
use crate::ids::quoted;
use crate::inventory::Labels;
use crate::secret::SecretValue;

/// A name that is shorter stands in values by chance.
const SHORTEST_NAME: usize = 4;

/// What new values must be like.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ValueEntry {
    /// The fewest bytes.
    pub min_length: Option<usize>,
    /// The most bytes.
    pub max_length: Option<usize>,
    /// How many of lower-case letters, upper-case letters, digits and other characters must occur.
    #[schemars(range(min = 1, max = 4))]
    pub min_classes: Option<usize>,
    /// The least strength in bits, as far as it can be estimated from the value alone.
    pub min_entropy_bits: Option<f64>,
    /// The only characters that may occur: `alnum`, `hex`, `base64url`, `digits`, `printable`, or `chars:` and the characters.
    #[schemars(with = "Option<String>")]
    pub alphabet: Option<Spanned<String>>,
    /// Texts that must not occur, whatever the case.
    #[serde(default)]
    pub forbidden: Vec<String>,
    /// Regular expressions that must not match.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub forbidden_patterns: Vec<Spanned<String>>,
    /// Whether the name of the secret, of a service that uses it, or of their stack must not occur, whatever the case. Names of
    /// fewer than four characters do not count.
    #[serde(default)]
    pub forbid_names: bool,
    /// A file of words, one on each line, that no value may be, whatever the case.
    #[schemars(with = "Option<String>")]
    pub dictionary: Option<Spanned<String>>,
    /// From how many of the values that the secret had last it must differ. They are known by fingerprints, with a key.
    #[schemars(with = "Option<u32>", range(min = 1, max = 100))]
    pub history: Option<Spanned<u32>>,
    /// What it is for.
    #[schemars(with = "Option<Select>")]
    pub select: Option<Spanned<Select>>,
}

/// What one entry of the policy asks of new values. What it answers holds nothing of a value.
#[derive(Clone, Debug)]
pub(super) struct Demands {
    min_length: usize,
    max_length: usize,
    classes: usize,
    bits: f64,
    alphabet: Option<Alphabet>,
    forbidden: Vec<String>,
    patterns: Vec<Regex>,
    names: bool,
    pub(super) dictionary: Option<String>,
    /// From how many of the values before a new one must differ.
    pub(super) history: u32,
    pub(super) selector: Selector,
}

impl Demands {
    /// # Errors
    /// Where and why no value could do, or that it asks for nothing.
    pub(super) fn new(entry: Spanned<ValueEntry>, remembered: bool) -> Result<Self, (Range<usize>, String)> {
        let (whole, entry) = (entry.span(), entry.into_inner());
        let alphabet = match &entry.alphabet {
            None => None,
            Some(text) => {
                Some(Alphabet::new(text.get_ref()).map_err(|error| (text.span(), error.message().to_owned()))?)
            }
        };
        let mut patterns = Vec::new();
        for text in &entry.forbidden_patterns {
            let pattern = Regex::new(text.get_ref());
            patterns.push(
                pattern.map_err(|_| (text.span(), format!("{} is no regular expression", quoted(text.get_ref()))))?,
            );
        }
        let demands = Self {
            min_length: entry.min_length.unwrap_or(0),
            max_length: entry.max_length.unwrap_or(usize::MAX),
            classes: entry.min_classes.unwrap_or(0),
            bits: entry.min_entropy_bits.unwrap_or(0.0),
            alphabet,
            forbidden: entry.forbidden.iter().map(|text| text.to_lowercase()).collect(),
            patterns,
            names: entry.forbid_names,
            dictionary: entry.dictionary.map(|file| absolute("file", file)).transpose()?,
            history: entry.history.map(|history| history_of(&history, remembered)).transpose()?.unwrap_or(0),
            selector: optional(entry.select)?,
        };
        demands.can_be_met().map_err(|why| (whole, why))?;
        Ok(demands)
    }

    fn can_be_met(&self) -> Result<(), String> {
        if self.max_length < self.min_length.max(1) {
            return Err("`max_length` leaves no length: no value would do".into());
        }
        if self.classes > 4 {
            return Err(
                "there are four classes: lower-case and upper-case letters, digits, and other characters".into()
            );
        }
        if !(self.bits.is_finite() && self.bits >= 0.0) {
            return Err("`min_entropy_bits` is no number of bits".into());
        }
        if self.forbidden.iter().any(String::is_empty) {
            return Err("a forbidden text is empty, and stands in every value".into());
        }
        let of_alphabet = self.alphabet.as_ref().map_or(4, |alphabet| classes(&alphabet.characters()));
        if of_alphabet < self.classes {
            return Err(format!("the alphabet has {of_alphabet} classes of characters, and `min_classes` wants more"));
        }
        Ok(())
    }

    /// What is wrong with all values that are generated like this.
    pub(super) fn of_spec(&self, spec: &GenerateSpec) -> Option<String> {
        let characters = spec.alphabet().characters();
        if let Some(why) = self.of_length(spec.length()) {
            return Some(why);
        }
        if let Some(allowed) = self.alphabet.as_ref().filter(|allowed| !within(&characters, allowed)) {
            return Some(format!("may only be made of the alphabet {allowed}: generate it with alphabet={allowed}"));
        }
        if classes(&characters) < self.classes {
            return Some(format!("is generated from too few classes of characters: {} are wanted", self.classes));
        }
        // Drawn without bias: the strength is exact.
        let bits = spec.length() as f64 * (characters.len() as f64).log2();
        (bits < self.bits).then(|| format!("is generated with {bits:.0} bits, fewer than {:.0}", self.bits))
    }

    /// What is wrong with a value, by itself: what was before it is asked elsewhere.
    pub(super) fn of_value(&self, act: &Act<'_>, value: &SecretValue, words: &WordLists) -> Option<String> {
        let bytes = value.expose();
        if let Some(why) = self.of_length(bytes.len()) {
            return Some(why);
        }
        if let Some(allowed) = self.alphabet.as_ref().filter(|allowed| !within(bytes, allowed)) {
            return Some(format!("has characters outside of the alphabet {allowed}"));
        }
        let has = classes(bytes);
        if has < self.classes {
            return Some(format!("has {has} classes of characters, fewer than {}", self.classes));
        }
        if self.forbidden.iter().any(|text| holds(bytes, text)) || self.patterns.iter().any(|p| p.is_match(bytes)) {
            return Some("holds what the policy forbids in values".to_owned());
        }
        if self.names && names(act).any(|name| holds(bytes, name)) {
            return Some("holds the name of the secret, or of a service or stack that uses it".to_owned());
        }
        if let Some(file) = &self.dictionary {
            match words.get(file) {
                None => return Some(format!("cannot be looked up in {}, which is not at hand", quoted(file))),
                Some(list) if list.has(value) => {
                    return Some(format!("is one of the words in {}, which nobody should choose", quoted(file)));
                }
                Some(_) => {}
            }
        }
        (strength(bytes) < self.bits)
            .then(|| format!("is estimated to have fewer than {:.0} bits of strength", self.bits))
    }

    fn of_length(&self, length: usize) -> Option<String> {
        if length < self.min_length {
            return Some(format!("has {length} bytes, fewer than {}", self.min_length));
        }
        (length > self.max_length).then(|| format!("has {length} bytes, more than {}", self.max_length))
    }
}

impl Policy {
    /// What it says to a value by itself, with the lists that it names. Nothing of the value is in the answer, nor which word it is.
    #[must_use]
    pub fn judge_value(&self, act: &Act<'_>, value: &SecretValue, words: &WordLists) -> Decision {
        self.demands(act, |demands| demands.of_value(act, value, words))
    }

    /// What it asks of new values, an entry each, in words.
    pub fn wants_of_values(&self, act: &Act<'_>) -> impl Iterator<Item = impl fmt::Display> {
        self.values.iter().filter(move |demands| demands.selector.holds(act, Way::Tightens))
    }

    /// From how many of the values that the secret had last a new one must differ.
    #[must_use]
    pub fn history(&self, act: &Act<'_>) -> u32 {
        let held = self.values.iter().filter(|demands| demands.selector.holds(act, Way::Tightens));
        held.map(|demands| demands.history).max().unwrap_or(0)
    }

    /// Whether it asks that of any secret: then values must be remembered.
    #[must_use]
    pub fn has_history(&self) -> bool {
        self.values.iter().any(|demands| demands.history > 0)
    }

    /// The files of words that it names.
    pub fn dictionaries(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(|demands| demands.dictionary.as_deref())
    }
}

/// As in "new values: 16 bytes or more, none of the last 5".
impl fmt::Display for Demands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let forbidden = self.forbidden.len() + self.patterns.len();
        let parts = [
            (self.min_length > 0).then(|| format!("{} bytes or more", self.min_length)),
            (self.max_length < usize::MAX).then(|| format!("{} bytes at most", self.max_length)),
            (self.classes > 0).then(|| format!("{} or more of four classes of characters", self.classes)),
            (self.bits > 0.0).then(|| format!("{:.0} bits of strength or more", self.bits)),
            self.alphabet.as_ref().map(|alphabet| format!("of the alphabet {alphabet}")),
            (forbidden > 0).then(|| format!("without what is forbidden ({forbidden})")),
            self.names.then(|| "without the names of the secret, its services and stacks".to_owned()),
            self.dictionary.as_ref().map(|file| format!("no word in {}", quoted(file))),
            (self.history > 0).then(|| format!("none of the last {}", self.history)),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        write!(f, "new values: {}", if parts.is_empty() { "any".to_owned() } else { parts.join(", ") })
    }
}

/// Values that were before must be remembered somewhere.
fn history_of(history: &Spanned<u32>, remembered: bool) -> Result<u32, (Range<usize>, String)> {
    match *history.get_ref() {
        0 => Err((history.span(), "a history of 0 asks for nothing: leave it out".into())),
        n if n > LONGEST_HISTORY => {
            Err((history.span(), format!("a history goes back {LONGEST_HISTORY} values at most")))
        }
        _ if !remembered => {
            let why = "which values a secret has had is remembered in a folder, as old versions are removed: name it at the top of the file, as in `state = \"/var/lib/swarmsecrets/state\"`";
            Err((history.span(), why.into()))
        }
        n => Ok(n),
    }
}

/// What a value for this secret is likely to be made of.
fn names<'a>(act: &Act<'a>) -> impl Iterator<Item = &'a str> {
    let of = |named: &[(&'a str, &Labels)]| named.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let names = [of(&act.versions), of(&act.services), act.stacks.clone()].concat();
    names.into_iter().chain([act.secret]).filter(|name| name.chars().count() >= SHORTEST_NAME)
}

fn within(bytes: &[u8], alphabet: &Alphabet) -> bool {
    let allowed: BTreeSet<u8> = alphabet.characters().into_iter().collect();
    bytes.iter().all(|byte| allowed.contains(byte))
}

/// Whether a text stands in a value, whatever the case of ASCII letters.
fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}

/// The class of a character: lower-case letters, upper-case letters, digits, others.
fn class(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}

fn classes(bytes: &[u8]) -> usize {
    bytes.iter().map(|byte| class(*byte)).collect::<BTreeSet<_>>().len()
}

/// How strong a value is at most, in bits, judged by itself: the choices that its classes of characters leave, for each
/// character that does not merely go on from the two before it (`aaa`, `abc`, `321`). Words are not looked up, so a sentence is
/// taken for more than it is.
fn strength(bytes: &[u8]) -> f64 {
    const SIZES: [f64; 4] = [26.0, 26.0, 10.0, 33.0];
    let used: BTreeSet<usize> = bytes.iter().map(|byte| class(*byte)).collect();
    let choices: f64 = used.iter().map(|class| SIZES[*class]).sum();
    let distinct = bytes.iter().collect::<BTreeSet<_>>().len();
    let step = |pair: &[u8]| i16::from(pair[1]) - i16::from(pair[0]);
    let goes_on = |three: &[u8]| step(&three[..2]) == step(&three[1..]) && step(&three[..2]).abs() <= 1;
    let predicted = bytes.windows(3).filter(|three| goes_on(three)).count();
    // A value of few different characters is no stronger than what can be made of them.
    let each = choices.min(distinct as f64 * 2.0).max(1.0).log2();
    each * (bytes.len() - predicted) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(text: &str) -> f64 {
        strength(text.as_bytes())
    }

    #[test]
    fn what_goes_on_by_itself_adds_nothing() {
        assert!(bits("aaaaaaaaaaaaaaaaaaaaaaaa") < 10.0);
        assert!(bits("abcdefghijklmnopqrstuvwxyz") < 10.0);
        assert!(bits("9876543210") < 10.0);
        assert!(bits("") < 1.0);
    }

    #[test]
    fn random_values_are_as_strong_as_their_length_says() {
        let hexadecimal = "4f9a1c07be52d8e36a0b9c1d2e4f5a68";
        assert!((120.0..=170.0).contains(&bits(hexadecimal)), "{}", bits(hexadecimal));
        let letters = "xK3vQ9pLm2ZrT7wYb5NcHd8J";
        assert!((125.0..=145.0).contains(&bits(letters)), "{}", bits(letters));
    }
}
