//! A stack's file and variables, which may hold credentials and therefore print nothing of themselves.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A compose file as it is stored. It prints its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct ComposeText(Arc<str>);

impl ComposeText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ComposeText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl Deref for ComposeText {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ComposeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes not shown]", self.0.len())
    }
}

/// The variables of a stack, in order: names and values. It prints the names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(String, String)>);

impl Variables {
    /// The value of a variable. Of one that stands twice, the last counts, as in a process's environment.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The same variables with one of them set.
    #[must_use]
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let mut all = self.0.clone();
        match all.iter_mut().rev().find(|(n, _)| n == name) {
            Some(pair) => pair.1 = value.to_owned(),
            None => all.push((name.to_owned(), value.to_owned())),
        }
        Self(all)
    }
}

impl Deref for Variables {
    type Target = [(String, String)];
    fn deref(&self) -> &[(String, String)] {
        &self.0
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| format!("{name}=[REDACTED]"))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_values_are_not_printed() {
        let file = ComposeText::from("token: made-up");
        let variables: Variables = [("TOKEN".to_owned(), "made-up".to_owned())].into_iter().collect();
        assert!(!format!("{file:?} {variables:?}").contains("made-up"));
        assert_eq!(variables.with("TOKEN", "x").get("TOKEN"), Some("x"));
        assert_eq!(variables.with("B", "x").get("B"), Some("x"));
    }
}
