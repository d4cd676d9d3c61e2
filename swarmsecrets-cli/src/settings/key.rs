//! The API key, from its file or the environment.

use std::path::Path;

use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use super::KeySource;

/// The key itself. White space at its ends is cut off, as editors leave a line break there.
pub(crate) fn read_key(source: KeySource) -> Result<SecretValue> {
    let (raw, place) = match source {
        KeySource::Given(value) => (value, "PORTAINER_API_KEY"),
        // An error would show it as the name of a file that is not there.
        KeySource::File(path) if is_a_key(&path) => {
            let text = "a file that holds the API key is to be named, and this is a key itself: put it into a file, or into \
                        PORTAINER_API_KEY; as an argument it can be read by every process on the machine";
            return Err(Error::new(ErrorKind::Settings, text));
        }
        KeySource::File(path) => (swarmsecrets_host::read_credential(&path)?, "the API key file"),
    };
    let key = raw.expose().trim_ascii();
    if key.is_empty() {
        return Err(Error::new(ErrorKind::Settings, format!("{place} is empty: put the key in it")));
    }
    if !key.iter().all(u8::is_ascii_graphic) {
        let text = format!("{place} holds characters that no API key has: one key on one line is expected");
        return Err(Error::new(ErrorKind::Settings, text));
    }
    Ok(SecretValue::credential(key.to_vec()))
}

/// Whether it is a key, and no file of that name is there.
fn is_a_key(path: &Path) -> bool {
    path.to_string_lossy().starts_with("ptr_") && !path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Result<SecretValue> {
        read_key(KeySource::Given(SecretValue::credential(text.as_bytes().to_vec())))
    }

    #[test]
    fn line_breaks_at_the_end_are_cut() {
        assert_eq!(given("ptr_made+up/key=\r\n").unwrap().expose(), b"ptr_made+up/key=");
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        for bad in ["", " \n", "ptr_one\nptr_two", "ptr_\u{e9}"] {
            let error = given(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Settings);
            assert!(!format!("{error:?}").contains("ptr_"), "{error:?}");
        }
        let missing = read_key(KeySource::File("/no/such/file".into())).unwrap_err();
        assert!(missing.message().contains("/no/such/file"), "{missing}");
        let key = read_key(KeySource::File("ptr_made-up".into())).unwrap_err();
        assert!(key.message().contains("this is a key itself") && !key.message().contains("ptr_"), "{key}");
    }
}
