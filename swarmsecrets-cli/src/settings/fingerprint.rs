//! The key of fingerprints, from the file that the environment names.

use std::collections::BTreeMap;
use std::path::Path;

use swarmsecrets_core::keys::FingerprintKey;
use swarmsecrets_core::{Error, ErrorKind, Result};

use super::lookalike;

const FILE: &str = "SWARMSECRETS_FINGERPRINT_KEY_FILE";

/// The key, if one is named.
///
/// # Errors
/// [`ErrorKind::Settings`] if the variable is empty or another one looks misspelt; if the file cannot be read or is too short.
pub(crate) fn fingerprint_key(environment: &BTreeMap<String, String>) -> Result<Option<FingerprintKey>> {
    let settings = |text: String| Error::new(ErrorKind::Settings, text);
    match environment.get(FILE).map(String::as_str) {
        Some("") => Err(settings(format!("{FILE} is set but empty: give it a value or unset it"))),
        Some(file) => swarmsecrets_host::read_credential(Path::new(file)).and_then(FingerprintKey::new).map(Some),
        None => match lookalike::find(environment).iter().find(|(_, known)| *known == FILE) {
            Some((name, _)) => Err(settings(format!("{name} is set and says nothing: is {FILE} meant?"))),
            None => Ok(None),
        },
    }
}
