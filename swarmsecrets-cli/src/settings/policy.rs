//! The policy that the environment names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use swarmsecrets_core::Result;

use super::lookalike;

const FILE: &str = "SWARMSECRETS_POLICY";

/// The file, if one is named.
///
/// # Errors
/// `Settings` if it is empty, or if another variable looks misspelt: a policy that is meant must not be passed over.
pub(crate) fn policy_of(environment: &BTreeMap<String, String>) -> Result<Option<PathBuf>> {
    Ok(lookalike::variable(environment, FILE)?.map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use swarmsecrets_core::ErrorKind;

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
