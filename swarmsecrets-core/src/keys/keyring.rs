//! Who may approve, and by which keys.

use std::collections::BTreeSet;

use super::PublicKey;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{KeyId, is_unprintable, quoted};

/// Longest name of a person or agent, in bytes.
pub(crate) const LONGEST_NAME: usize = 256;

/// A key that may approve, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApproverKey {
    identity: String,
    id: KeyId,
    key: PublicKey,
}

impl ApproverKey {
    /// Whose it is.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }
}

/// An account in a system that decisions are read back from, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ApproverAccount {
    identity: String,
    system: String,
    account: String,
}

/// The keys and the accounts that may approve. Several of one identity count as one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring {
    keys: Vec<ApproverKey>,
    accounts: Vec<ApproverAccount>,
}

impl Keyring {
    /// One without keys, by which nobody can approve.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key. One that is there already as this person's is no error.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a name that is blank, too long or unprintable; [`ErrorKind::Conflict`] if the key is
    /// somebody else's: one key must not be two people.
    pub fn add(&mut self, identity: &str, key: PublicKey) -> Result<()> {
        let identity = identity.trim();
        check_name("approver", identity)?;
        let id = key.id();
        match self.get(&id) {
            None => self.keys.push(ApproverKey { identity: identity.to_owned(), id, key }),
            Some(there) if there.key == key && same_person(&there.identity, identity) => {}
            Some(there) => {
                let (whose, who) = (quoted(&there.identity), quoted(identity));
                let text =
                    format!("the key {id} cannot be that of {who}: it is that of {whose} already; make another one");
                return Err(Error::new(ErrorKind::Conflict, text));
            }
        }
        Ok(())
    }

    /// Adds an account of a system, both written as that system writes them. One that is there already as this person's is no
    /// error.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a name that is blank, too long or unprintable; [`ErrorKind::Conflict`] if the account is
    /// somebody else's: one account must not be two people.
    pub fn add_account(&mut self, identity: &str, system: &str, account: &str) -> Result<()> {
        let identity = identity.trim();
        check_name("approver", identity)?;
        check_name("system", system)?;
        check_name("account", account)?;
        match self.account(system, account) {
            None => self.accounts.push(ApproverAccount {
                identity: identity.to_owned(),
                system: system.to_owned(),
                account: account.to_owned(),
            }),
            Some(there) if same_person(there, identity) => {}
            Some(there) => {
                let text = format!(
                    "the account {} of {} cannot be that of {}: it is that of {} already",
                    quoted(account),
                    quoted(system),
                    quoted(identity),
                    quoted(there)
                );
                return Err(Error::new(ErrorKind::Conflict, text));
            }
        }
        Ok(())
    }

    /// Whose an account of a system is.
    #[must_use]
    pub fn account(&self, system: &str, account: &str) -> Option<&str> {
        let mut accounts = self.accounts.iter();
        accounts.find(|one| one.system == system && one.account == account).map(|one| one.identity.as_str())
    }

    /// Whether decisions that are read back from a system may count: whether any of its accounts is somebody's.
    #[must_use]
    pub fn trusts(&self, system: &str) -> bool {
        self.accounts.iter().any(|one| one.system == system)
    }

    /// How many different people there are.
    #[must_use]
    pub fn people(&self) -> usize {
        let keys = self.keys.iter().map(|key| &key.identity);
        keys.chain(self.accounts.iter().map(|one| &one.identity)).map(|who| folded(who)).collect::<BTreeSet<_>>().len()
    }

    /// The key of this name.
    #[must_use]
    pub fn get(&self, id: &KeyId) -> Option<&ApproverKey> {
        self.keys.iter().find(|key| key.id == *id)
    }

    /// All keys, in the order in which they were added.
    pub fn keys(&self) -> impl Iterator<Item = &ApproverKey> {
        self.keys.iter()
    }

    /// Whether nobody can approve.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.accounts.is_empty()
    }
}

/// What two names of one person have in common: neither the spaces around them nor the case of letters tells people apart.
pub(crate) fn folded(name: &str) -> String {
    // Both ways: some letters of the same case fold together in one of them alone.
    name.trim().to_uppercase().to_lowercase()
}

pub(crate) fn same_person(a: &str, b: &str) -> bool {
    folded(a) == folded(b)
}

/// Names are shown to people who decide by them.
pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    let bad = |why: &str| {
        let text = format!("{} cannot be the name of the {what}: {why}", quoted(name));
        Err(Error::new(ErrorKind::Invalid, text))
    };
    if name.trim().is_empty() {
        bad("it is blank")
    } else if name.len() > LONGEST_NAME {
        bad("it is longer than 256 bytes")
    } else if name.chars().any(is_unprintable) {
        bad("characters that cannot be seen stand in it")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::key;
    use super::*;

    #[test]
    fn a_person_may_have_several_keys_and_a_key_has_one_person() {
        let mut ring = Keyring::new();
        assert!(ring.is_empty());
        ring.add("alice", key(1).public()).unwrap();
        ring.add("Alice ", key(2).public()).unwrap();
        ring.add(" ALICE", key(1).public()).unwrap();
        assert_eq!(ring.keys().map(|k| k.identity()).collect::<Vec<_>>(), ["alice", "Alice"]);
        let error = ring.add("bob", key(1).public()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.message().contains("`bob`") && error.message().contains("`alice`"), "{error}");
        assert_eq!(ring.get(&key(2).public().id()).unwrap().key(), &key(2).public());
        assert_eq!(ring.get(&key(3).public().id()), None);
    }

    #[test]
    fn an_account_of_a_system_has_one_person_and_counts_there_alone() {
        let mut ring = Keyring::new();
        ring.add("alice", key(1).public()).unwrap();
        ring.add_account("Alice", "jira", "5b10").unwrap();
        ring.add_account("bob", "chat", "5b10").unwrap();
        ring.add_account(" ALICE", "jira", "5b10").unwrap();
        assert_eq!((ring.account("jira", "5b10"), ring.account("chat", "5b10")), (Some("Alice"), Some("bob")));
        assert_eq!((ring.account("jira", "5B10"), ring.account("mail", "5b10")), (None, None));
        assert!(ring.trusts("jira") && !ring.trusts("mail"));
        assert_eq!(ring.people(), 2);
        let error = ring.add_account("mallory", "jira", "5b10").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.message().contains("`mallory`") && error.message().contains("`Alice`"), "{error}");
        for (identity, system, account) in [("", "jira", "1"), ("eve", " ", "1"), ("eve", "jira", "a\u{202e}b")] {
            assert_eq!(ring.add_account(identity, system, account).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn names_that_deceive_are_refused() {
        for bad in ["", "  ", "al\u{202e}ice", "alice\u{200b}", "a\nb", &"a".repeat(257)] {
            assert_eq!(Keyring::new().add(bad, key(1).public()).unwrap_err().kind(), ErrorKind::Invalid, "{bad:?}");
        }
    }

    #[test]
    fn case_and_spaces_do_not_make_two_people() {
        for (a, b) in [("alice", " ALICE\t"), ("straße", "STRASSE"), ("K", "\u{212a}"), ("s", "ſ"), ("ÉVA", "éva")]
        {
            assert!(same_person(a, b), "{a} {b}");
        }
        assert!(!same_person("alice", "alice2"));
    }
}
