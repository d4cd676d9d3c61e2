//! The policy that the environment names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use swarmsecrets_core::{Error, ErrorKind, Result};

use super::lookalike;

const FILE: &str = "SWARMSECRETS_POLICY";

/// The file, if one is named.
///
/// # Errors
/// [`ErrorKind::Settings`] if it is empty, or if another variable looks misspelt: a policy that is meant must not be passed over.
pub(crate) fn policy_of(environment: &BTreeMap<String, String>) -> Result<Option<PathBuf>> {
    let settings = |text: String| Error::new(ErrorKind::Settings, text);
    match environment.get(FILE).map(String::as_str) {
        Some("") => Err(settings(format!("{FILE} is set but empty: give it a value or unset it"))),
        Some(file) => Ok(Some(PathBuf::from(file))),
        None => match lookalike::find(environment).iter().find(|(_, known)| *known == FILE) {
            Some((name, _)) => Err(settings(format!("{name} is set and says nothing: is {FILE} meant?"))),
            None => Ok(None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Option<PathBuf>> {
        policy_of(&pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn a_policy_that_is_meant_is_not_passed_over() {
        assert_eq!(of(&[]).unwrap(), None);
        assert_eq!(of(&[(FILE, "/etc/p.toml")]).unwrap(), Some("/etc/p.toml".into()));
        for bad in [(FILE, ""), ("SWARMSECRETS_POLCY", "/etc/p.toml"), ("SWARMSECRETS_POLICY_FILE", "/etc/p.toml")] {
            let error = of(&[bad]).unwrap_err();
            assert!(error.kind() == ErrorKind::Settings && error.message().contains(FILE), "{error}");
        }
    }
}
