//! Variables that look as if they were meant to be one of ours, so that a slip is said and not ignored.

use std::collections::BTreeMap;

use swarmsecrets_core::{Error, ErrorKind, Result};

use super::KNOWN;

/// Names that other tools use for the same things.
const ALIASES: [(&str, &str); 28] = [
    ("PORTAINER_TOKEN", "PORTAINER_API_KEY"),
    ("PORTAINER_ACCESS_TOKEN", "PORTAINER_API_KEY"),
    ("PORTAINER_API_TOKEN", "PORTAINER_API_KEY"),
    ("PORTAINER_KEY", "PORTAINER_API_KEY"),
    ("PORTAINER_KEY_FILE", "PORTAINER_API_KEY_FILE"),
    ("PORTAINER_TOKEN_FILE", "PORTAINER_API_KEY_FILE"),
    ("PORTAINER_HOST", "PORTAINER_URL"),
    ("PORTAINER_ADDR", "PORTAINER_URL"),
    ("PORTAINER_ADDRESS", "PORTAINER_URL"),
    ("PORTAINER_SERVER", "PORTAINER_URL"),
    ("PORTAINER_SERVER_URL", "PORTAINER_URL"),
    ("PORTAINER_API_URL", "PORTAINER_URL"),
    ("PORTAINER_BASE_URL", "PORTAINER_URL"),
    ("PORTAINER_ENV", "PORTAINER_ENDPOINT"),
    ("PORTAINER_ENVIRONMENT", "PORTAINER_ENDPOINT"),
    ("PORTAINER_ENVIRONMENT_ID", "PORTAINER_ENDPOINT"),
    ("PORTAINER_ENV_ID", "PORTAINER_ENDPOINT"),
    ("PORTAINER_ENDPOINT_ID", "PORTAINER_ENDPOINT"),
    ("PORTAINER_CACERT", "PORTAINER_CA_FILE"),
    ("PORTAINER_AGENT_ID", "SWARMSECRETS_AGENT_ID"),
    ("SWARMSECRETS_POLICY_FILE", "SWARMSECRETS_POLICY"),
    ("SWARMSECRETS_POLICY_PATH", "SWARMSECRETS_POLICY"),
    ("SWARMSECRETS_JOURNAL_URL", "SWARMSECRETS_JOURNAL_DB"),
    ("SWARMSECRETS_JOURNAL_DB_URL", "SWARMSECRETS_JOURNAL_DB"),
    ("SWARMSECRETS_JOURNAL_DATABASE", "SWARMSECRETS_JOURNAL_DB"),
    ("SWARMSECRETS_JOURNAL_DATABASE_URL", "SWARMSECRETS_JOURNAL_DB"),
    ("SWARMSECRETS_JOURNAL_DB_URL_FILE", "SWARMSECRETS_JOURNAL_DB_FILE"),
    ("SWARMSECRETS_JOURNAL_DATABASE_FILE", "SWARMSECRETS_JOURNAL_DB_FILE"),
];

/// The variables that are set and look like one of ours, each with the one that was probably meant.
pub(super) fn find(environment: &BTreeMap<String, String>) -> Vec<(String, &'static str)> {
    environment.keys().filter_map(|name| meant(name).map(|known| (name.clone(), known))).collect()
}

/// What a variable is set to. One that is meant and misspelt must not be passed over.
///
/// # Errors
/// [`ErrorKind::Settings`] if it is empty, or if another one that is set looks like it.
pub(super) fn variable<'e>(environment: &'e BTreeMap<String, String>, known: &str) -> Result<Option<&'e str>> {
    let settings = |text: String| Error::new(ErrorKind::Settings, text);
    match environment.get(known).map(String::as_str) {
        Some("") => Err(settings(format!("{known} is set but empty: give it a value or unset it"))),
        Some(value) => Ok(Some(value)),
        None => match find(environment).iter().find(|(_, meant)| *meant == known) {
            Some((name, _)) => Err(settings(format!("{name} is set and says nothing: is {known} meant?"))),
            None => Ok(None),
        },
    }
}

fn meant(name: &str) -> Option<&'static str> {
    if KNOWN.contains(&name) || !name.is_ascii() {
        return None;
    }
    let upper = name.to_ascii_uppercase().replace('-', "_");
    if let Some((_, known)) = ALIASES.iter().find(|(alias, _)| *alias == upper) {
        return Some(known);
    }
    let near = |known: &&&str| strsim::damerau_levenshtein(&squeezed(&upper), &squeezed(known)) <= 1;
    KNOWN.iter().find(near).copied()
}

fn squeezed(name: &str) -> String {
    name.replace('_', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen() {
        for (slip, known) in [
            ("PORTAINER_APIKEY", "PORTAINER_API_KEY"),
            ("PORTAINER_TOKEN", "PORTAINER_API_KEY"),
            ("PORTAINER_HOST", "PORTAINER_URL"),
            ("portainer_url", "PORTAINER_URL"),
            ("PORTAINR_URL", "PORTAINER_URL"),
            ("PORTAINER_ULR", "PORTAINER_URL"),
            ("PORTAINER_URLS", "PORTAINER_URL"),
            ("PORTAINER_ENDPOINTS", "PORTAINER_ENDPOINT"),
            ("SWARMSECRET_AGENT_ID", "SWARMSECRETS_AGENT_ID"),
        ] {
            assert_eq!(meant(slip), Some(known), "{slip}");
        }
    }

    #[test]
    fn what_is_ours_or_of_others_is_let_be() {
        // The last two are what Kubernetes sets for a service that is called "portainer".
        for name in ["PORTAINER_URL", "PATH", "HOME", "PORTAINER_SERVICE_HOST", "PORTAINER_PORT_9000_TCP_ADDR"] {
            assert_eq!(meant(name), None, "{name}");
        }
    }
}
