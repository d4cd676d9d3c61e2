//! The key of fingerprints, from the file that the environment names.

use std::collections::BTreeMap;
use std::path::Path;

use swarmsecrets_core::Result;
use swarmsecrets_core::keys::FingerprintKey;

use super::lookalike;

const FILE: &str = "SWARMSECRETS_FINGERPRINT_KEY_FILE";

/// The key, if one is named.
///
/// # Errors
/// `Settings` if the variable is empty or another one looks misspelt; if the file cannot be read or is too short.
pub(crate) fn fingerprint_key(environment: &BTreeMap<String, String>) -> Result<Option<FingerprintKey>> {
    let file = lookalike::variable(environment, FILE)?;
    file.map(|file| swarmsecrets_host::read_credential(Path::new(file)).and_then(FingerprintKey::new)).transpose()
}
