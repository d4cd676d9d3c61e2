//! Looks through everything that a test run wrote for the secret values that the tests used.
//!
//! Values come from two places: the tests append each made-up value, in base64, as a line of the file that
//! `SWARMSECRETS_TEST_VALUES` names; and the literals that sources hand to the constructors of `SecretValue` are read from
//! there. What is looked for is each value as it is, in base64, in hexadecimal and as the list of its bytes (the ways
//! in which Rust prints bytes). A value that is found is never printed: its place is.

mod forms;
mod literals;

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Failure;
use crate::log::Log;
use crate::repository;

/// Shorter values would be found in any text.
const SHORTEST: usize = 8;

/// Searches the log and what the tests left behind.
pub(crate) fn scan(log: &Log, recorded: &Path, kept: &[PathBuf]) -> Result<(), Failure> {
    let mut values = literals::from_sources(&repository::root())?;
    values.extend(read_recorded(recorded)?);
    values.retain(|value| value.len() >= SHORTEST);
    if values.is_empty() {
        return Err("the leak scan has no value to look for: no test recorded one, and no source holds one".into());
    }
    let mut files = vec![log.path().to_owned()];
    for dir in kept {
        repository::walk(dir, &mut files).map_err(|e| format!("cannot list {}: {e}", dir.display()))?;
    }
    let mut found = Vec::new();
    let needles = Needles::new(&values)?;
    for file in &files {
        let bytes = std::fs::read(file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
        found.extend(needles.places(&bytes).into_iter().map(|place| format!("{}:{place}", file.display())));
    }
    log.say(&format!("{} values looked for in {} files", values.len(), files.len()));
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("a secret value stands in the output of the tests:\n  {}", found.join("\n  ")))
}

/// Adds values to those that tests write down.
pub(crate) fn record<'a>(recorded: &Path, mut values: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let failed = |e: std::io::Error| format!("cannot write {}: {e}", recorded.display());
    let mut file = OpenOptions::new().create(true).append(true).open(recorded).map_err(failed)?;
    values.try_for_each(|value| writeln!(file, "{}", STANDARD.encode(value))).map_err(failed)
}

/// The values that tests wrote down, one base64 line for each.
fn read_recorded(path: &Path) -> Result<BTreeSet<Vec<u8>>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(e) => return Err(format!("cannot read {}: {e}", path.display())),
    };
    let decode = |(n, line): (usize, &str)| {
        STANDARD.decode(line).map_err(|_| format!("{}:{}: not a line of base64", path.display(), n + 1))
    };
    text.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(decode).collect()
}

/// All that is looked for, and which form of which value it is.
struct Needles {
    search: AhoCorasick,
    forms: Vec<&'static str>,
}

impl Needles {
    fn new(values: &BTreeSet<Vec<u8>>) -> Result<Self, Failure> {
        let all: Vec<(&'static str, Vec<u8>)> = values.iter().flat_map(|value| forms::of(value)).collect();
        let search = AhoCorasick::new(all.iter().map(|(_, bytes)| bytes))
            .map_err(|e| format!("cannot search for so many values: {e}"))?;
        Ok(Self { search, forms: all.into_iter().map(|(form, _)| form).collect() })
    }

    /// `line (form)` of each place where a value stands, each line once.
    fn places(&self, bytes: &[u8]) -> BTreeSet<String> {
        let place = |hit: aho_corasick::Match| {
            let line = 1 + bytes[..hit.start()].iter().filter(|byte| **byte == b'\n').count();
            format!("{line} ({})", self.forms[hit.pattern().as_usize()])
        };
        self.search.find_iter(bytes).map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needles(value: &[u8]) -> Needles {
        Needles::new(&BTreeSet::from([value.to_vec()])).unwrap()
    }

    #[test]
    fn a_value_is_found_in_each_form_and_named_by_its_place_only() {
        let value = b"made-up value 1";
        let text = format!("fine\n{}\n{:?}\nfine\n{}", STANDARD.encode(value), value, "a made-up value 1 b");
        let places = needles(value).places(text.as_bytes());
        assert_eq!(places, BTreeSet::from(["2 (base64)".into(), "3 (bytes)".into(), "5 (plain)".into()]));
    }

    #[test]
    fn a_recorded_value_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("values");
        assert!(read_recorded(&path).unwrap().is_empty());
        std::fs::write(&path, format!("{}\n", STANDARD.encode(b"x\ny"))).unwrap();
        assert_eq!(read_recorded(&path).unwrap(), BTreeSet::from([b"x\ny".to_vec()]));
        std::fs::write(&path, "not base64!\n").unwrap();
        assert!(read_recorded(&path).is_err());
    }
}
