//! Lists of words from files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::policy::{LONGEST_WORD_LIST, WordList};
use swarmsecrets_core::{Error, ErrorKind, Result};

/// Reads a list of words from its file. Links are followed: lists that come with a system are often links.
///
/// # Errors
/// [`ErrorKind::Settings`], with the file, if it cannot be read, is no regular file, or is no list ([`WordList::new`]).
pub fn read_words(file: &Path) -> Result<WordList> {
    let name = quoted(&file.to_string_lossy());
    let failed = |e: io::Error| {
        Error::new(ErrorKind::Settings, format!("cannot read the list of words {name}: {e}")).with_source(e)
    };
    let text = read(file).map_err(failed)?;
    WordList::new(text).map_err(|error| error.context(name))
}

/// One byte more than a list may have tells that it is too long.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened: a pipe would wait for whoever writes to it.
    if !std::fs::metadata(file)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut text = Vec::new();
    File::open(file)?.take(LONGEST_WORD_LIST + 1).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use swarmsecrets_core::SecretValue;

    use super::*;
    use crate::{parse_policy, policy_in_force};

    #[test]
    fn a_list_is_read_also_through_a_link_and_what_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("words.txt"), folder.path().join("link"));
        std::fs::write(&file, "hunter2\n").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(read_words(&link).unwrap().has(&SecretValue::new(b"Hunter2".to_vec()).unwrap()));
        let empty = folder.path().join("empty.txt");
        std::fs::write(&empty, "\n").unwrap();
        for (bad, why) in [
            (empty.as_path(), "holds none"),
            (folder.path(), "no regular file"),
            (&folder.path().join("none"), "No such file"),
        ] {
            let error = read_words(bad).unwrap_err();
            let said = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Settings);
            assert!(said.contains(why) && said.contains(&*bad.to_string_lossy()), "{said}");
        }
    }

    #[test]
    fn a_policy_whose_list_is_missing_is_not_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("words.txt");
        let text = format!("schema = 1\n[[values]]\ndictionary = '{}'\n", file.display());
        let put = || policy_in_force("given", parse_policy(&text).unwrap());
        let error = put().err().unwrap();
        assert!(error.kind() == ErrorKind::Settings && error.to_string().contains("words.txt"), "{error}");
        std::fs::write(&file, "hunter2").unwrap();
        assert!(put().is_ok());
    }
}
