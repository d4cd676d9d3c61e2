//! Who may call a server, and with which token.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_host::read_credential;

use crate::entries;

/// Somebody who may call.
pub struct Caller {
    /// The AI agent that they are.
    pub agent: String,
    /// What they are known by.
    pub token: SecretValue,
    /// Whether they may change nothing, whatever the policies say.
    pub read_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    callers: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    token_file: PathBuf,
    #[serde(default)]
    read_only: bool,
}

/// Reads a file of `--callers`: an entry for each agent, by its id.
///
/// # Errors
/// `Io` if it cannot be read, `Invalid` if it cannot be understood or names nobody, `Settings` if a token's file cannot be read.
pub fn read_callers(path: &Path) -> Result<Vec<Caller>> {
    let file: File = entries::read(path)?;
    let place = quoted(&path.to_string_lossy());
    if file.callers.is_empty() {
        return Err(Error::new(ErrorKind::Invalid, format!("{place} names nobody: add a section [callers.AGENT]")));
    }
    let caller = |(agent, entry): (String, Entry)| {
        let token = read_credential(&entries::folder(path).join(&entry.token_file));
        let token = token.map_err(|e| e.context(format!("{place}, {}", quoted(&agent))))?;
        Ok(Caller { agent, token, read_only: entry.read_only })
    };
    file.callers.into_iter().map(caller).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<(String, bool)>> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "made-up-token-of-a-caller-0123456789\n").unwrap();
        let path = dir.path().join("callers.toml");
        std::fs::write(&path, text).unwrap();
        Ok(read_callers(&path)?.into_iter().map(|caller| (caller.agent, caller.read_only)).collect())
    }

    #[test]
    fn callers_are_agents_with_tokens_in_files_beside() {
        let text =
            "[callers.deploy-bot]\ntoken-file = 'token'\n[callers.auditor]\ntoken-file = 'token'\nread-only = true\n";
        assert_eq!(of(text).unwrap(), [("auditor".to_owned(), true), ("deploy-bot".to_owned(), false)]);
    }

    #[test]
    fn what_is_wrong_is_named_and_no_token_is_shown() {
        for (text, part) in [
            ("[callers]\n", "names nobody"),
            ("", "callers"),
            ("[callers.a]\ntoken-file = 'nothing'\n", "`a`"),
            ("[callers.a]\ntoken = 'made-up'\n", "token"),
            ("[callers.a]\ntoken-file = 'token'\nreadonly = true\n", "readonly"),
        ] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains("0123456789"), "{error}");
        }
    }
}
