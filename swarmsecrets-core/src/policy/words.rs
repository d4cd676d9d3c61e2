//! Lists of words that no value may be.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::secret::SecretValue;

/// The longest list that is read, in bytes: some millions of words.
pub const LONGEST_WORD_LIST: u64 = 32 * 1024 * 1024;

/// Lists of words, by the files that a policy names them by.
pub type WordLists = BTreeMap<String, WordList>;

/// Words that people choose, or that have leaked: one on each line, as bytes. A list need be no UTF-8.
#[derive(Clone)]
pub struct WordList(Arc<[u8]>);

impl WordList {
    /// Takes the text of a list. Empty lines are no words; every other line is one, also one that looks like a comment.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] if it holds no word, or is longer than [`LONGEST_WORD_LIST`].
    pub fn new(text: Vec<u8>) -> Result<Self> {
        if text.len() as u64 > LONGEST_WORD_LIST {
            let text = format!("the list of words is longer than {} MiB", LONGEST_WORD_LIST >> 20);
            return Err(Error::new(ErrorKind::Settings, text));
        }
        let list = Self(text.into());
        if list.words().next().is_none() {
            return Err(Error::new(ErrorKind::Settings, "the list of words holds none"));
        }
        Ok(list)
    }

    /// Whether a value as a whole is one of the words, whatever the case of ASCII letters, and but for spaces and line breaks around
    /// it. Values are few and lists may be long, so that each is looked for line by line: nothing of it is copied.
    #[must_use]
    pub fn has(&self, value: &SecretValue) -> bool {
        let value = value.expose().trim_ascii();
        self.words().any(|word| word.eq_ignore_ascii_case(value))
    }

    fn words(&self) -> impl Iterator<Item = &[u8]> {
        let text = self.0.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.0);
        text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
    }
}

/// Without the words: they may be passwords that have leaked.
impl fmt::Debug for WordList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WordList({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &[u8]) -> WordList {
        WordList::new(text.to_vec()).unwrap()
    }

    fn has(list: &WordList, value: &str) -> bool {
        list.has(&SecretValue::new(value.into()).unwrap())
    }

    #[test]
    fn a_value_is_looked_up_as_a_whole_whatever_its_case() {
        let list = list("\u{feff}Correct-Horse\r\n\n# battery\nstaple".as_bytes());
        for value in ["correct-horse", "CORRECT-HORSE", "staple\n", " Staple", "# battery"] {
            assert!(has(&list, value), "{value}");
        }
        for value in ["correct", "correct-horses", "battery", "-", "\n"] {
            assert!(!has(&list, value), "{value}");
        }
        assert_eq!(format!("{list:?}"), "WordList(35 bytes)");
    }

    #[test]
    fn words_need_be_no_utf_8() {
        let list = list(b"\xff\xfeword\nm\xfcller\n");
        assert!(list.has(&SecretValue::new(b"M\xfcLLER".to_vec()).unwrap()));
    }

    #[test]
    fn a_list_of_nothing_is_no_list() {
        for text in ["", "\n\r\n  \n", "\u{feff}"] {
            assert_eq!(WordList::new(text.into()).unwrap_err().kind(), ErrorKind::Settings, "{text:?}");
        }
        let endless = vec![b'a'; usize::try_from(LONGEST_WORD_LIST).unwrap() + 1];
        assert!(WordList::new(endless).unwrap_err().message().contains("longer than 32 MiB"));
    }
}
