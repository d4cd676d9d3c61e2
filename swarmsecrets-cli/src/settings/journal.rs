//! The database that keeps the journals, if one does: its URL, from a file or the environment.

use std::collections::BTreeMap;
use std::path::Path;

use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use super::lookalike;

const URL: &str = "SWARMSECRETS_JOURNAL_DB";
const FILE: &str = "SWARMSECRETS_JOURNAL_DB_FILE";

/// The URL, which holds a password. The flag wins over the environment.
///
/// # Errors
/// [`ErrorKind::Settings`] if a setting is empty, if there are two, if one looks misspelt, or if the file cannot be read.
pub(crate) fn journal_database(
    flag: Option<&Path>,
    environment: &BTreeMap<String, String>,
) -> Result<Option<SecretValue>> {
    let variable = |name: &str| match environment.get(name).map(String::as_str) {
        Some("") => Err(settings(format!("{name} is set but empty: give it a value or unset it"))),
        value => Ok(value),
    };
    let file = match (flag, variable(FILE)?, variable(URL)?) {
        (Some(path), _, _) => path,
        (None, Some(_), Some(_)) => {
            return Err(settings(format!("{URL} and {FILE} are both set: unset one of them")));
        }
        (None, Some(path), None) => Path::new(path),
        (None, None, Some(url)) => return Ok(Some(SecretValue::credential(url.as_bytes().to_vec()))),
        (None, None, None) => return none_meant(environment).map(|()| None),
    };
    // An error would show it as the name of a file that is not there, with its password.
    if file.to_string_lossy().contains("://") {
        return Err(settings(format!(
            "a file that holds the URL of the journal's database is to be named, and this is a URL itself: put it into a \
             file, or into {URL}; as an argument it can be read by every process on the machine"
        )));
    }
    swarmsecrets_host::read_credential(file).map(Some)
}

/// A slip must not leave the journal on this host alone, where no other host sees it.
fn none_meant(environment: &BTreeMap<String, String>) -> Result<()> {
    let slips = lookalike::find(environment);
    match slips.iter().find(|(_, known)| [URL, FILE].contains(known)) {
        Some((name, known)) => Err(settings(format!("{name} is set and says nothing: is {known} meant?"))),
        None => Ok(()),
    }
}

fn settings(message: String) -> Error {
    Error::new(ErrorKind::Settings, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(flag: Option<&str>, pairs: &[(&str, &str)]) -> Result<Option<SecretValue>> {
        let environment = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        journal_database(flag.map(Path::new), &environment)
    }

    #[test]
    fn it_comes_from_a_file_or_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::fs::write(&path, "postgres://in-file").unwrap();
        let path = path.to_str().unwrap();
        assert!(of(None, &[]).unwrap().is_none());
        for found in [of(Some(path), &[(URL, "postgres://other")]), of(None, &[(FILE, path)])] {
            assert!(found.unwrap().unwrap().expose() == b"postgres://in-file");
        }
        assert!(of(None, &[(URL, "postgres://made-up")]).unwrap().unwrap().expose() == b"postgres://made-up");
    }

    #[test]
    fn contradictions_and_what_is_empty_are_refused() {
        for (pairs, part) in [
            (&[(URL, "postgres://made-up"), (FILE, "x")][..], "both set"),
            (&[(URL, "")], "SWARMSECRETS_JOURNAL_DB is set but empty"),
            (&[(FILE, "/no/such/file")], "/no/such/file"),
            (
                &[(FILE, "postgres://rotator:made-up@db/journal")],
                "put it into a file, or into SWARMSECRETS_JOURNAL_DB;",
            ),
            (&[("SWARMSECRETS_JOURNL_DB", "made-up")], "is SWARMSECRETS_JOURNAL_DB meant?"),
            (&[("SWARMSECRETS_JOURNAL_DB_URL", "made-up")], "is SWARMSECRETS_JOURNAL_DB meant?"),
            (&[("SWARMSECRETS_JOURNAL_DATABASE_FILE", "made-up")], "is SWARMSECRETS_JOURNAL_DB_FILE meant?"),
        ] {
            let error = of(None, pairs).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Settings, "{error}");
            assert!(error.message().contains(part), "{error}");
            assert!(!error.message().contains("made-up"), "{error}");
        }
        let url = of(Some("postgres://rotator:made-up@db/journal"), &[]).unwrap_err();
        assert!(url.message().contains("this is a URL itself") && !url.message().contains("made-up"), "{url}");
    }
}
