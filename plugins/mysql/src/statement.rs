//! The statements that change a user.

use std::fmt;

use swarmsecrets_core::SecretValue;
use swarmsecrets_core::ids::{RotationId, quoted};
use zeroize::Zeroizing;

use crate::hash::Hash;

/// A user as the server knows it: a name, and where it may come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) host: String,
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", quoted(&self.name), quoted(&self.host))
    }
}

/// A statement that may hold a password or hashes of one.
pub(crate) type Statement = Zeroizing<String>;

/// MariaDB: the user logs in with any one of these passwords.
pub(crate) fn any_of(rotation: &RotationId, user: &User, hashes: &[Hash]) -> Statement {
    let way = |hash: &Hash| Zeroizing::new(format!("mysql_native_password USING '{}'", hash.as_str()));
    let ways = hashes.iter().map(way).collect::<Vec<_>>();
    let ways = Zeroizing::new(ways.iter().map(|way| way.as_str()).collect::<Vec<_>>().join(" OR "));
    alter(rotation, user, &["IDENTIFIED VIA ", &ways])
}

/// MySQL: the password, and beside it the one that the user had.
pub(crate) fn retain(rotation: &RotationId, user: &User, password: &SecretValue) -> Statement {
    alter(rotation, user, &["IDENTIFIED BY ", &text(password), " RETAIN CURRENT PASSWORD"])
}

/// MySQL: the password, in place of the newer of the two that the user had.
pub(crate) fn replace(rotation: &RotationId, user: &User, password: &SecretValue) -> Statement {
    alter(rotation, user, &["IDENTIFIED BY ", &text(password)])
}

/// MySQL: the newer password alone.
pub(crate) fn discard(rotation: &RotationId, user: &User) -> Statement {
    alter(rotation, user, &["DISCARD OLD PASSWORD"])
}

/// The comment says in the server's log why.
fn alter(rotation: &RotationId, user: &User, what: &[&str]) -> Statement {
    let (name, host) = (literal(&user.name), literal(&user.host));
    let whom = ["ALTER USER /* swarmsecrets ", rotation.as_str(), " */ ", &name, "@", &host, " "];
    Zeroizing::new([&whom[..], what].concat().concat())
}

fn text(password: &SecretValue) -> Zeroizing<String> {
    literal(&Zeroizing::new(String::from_utf8_lossy(password.expose()).into_owned()))
}

/// A text as a literal. The session's `sql_mode` is empty, so that a backslash escapes.
fn literal(text: &str) -> Zeroizing<String> {
    let mut quoted = Zeroizing::new(String::with_capacity(text.len() * 2 + 2));
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\\' => quoted.extend(['\\', c]),
            '\0' => quoted.push_str("\\0"),
            _ => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> User {
        User { name: name.into(), host: "%".into() }
    }

    fn value(text: &str) -> SecretValue {
        SecretValue::new(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn statements_are_as_the_manuals_say() {
        let rotation = RotationId::from_random([1; 10]);
        let begin = "ALTER USER /* swarmsecrets r-01010101010101010101 */ 'app'@'%' ";
        let app = user("app");
        let said = |statement: Statement| statement.strip_prefix(begin).unwrap().to_owned();
        assert_eq!(said(discard(&rotation, &app)), "DISCARD OLD PASSWORD");
        assert!(
            said(retain(&rotation, &app, &value("made-up-next")))
                == "IDENTIFIED BY 'made-up-next' RETAIN CURRENT PASSWORD"
        );
        assert!(said(replace(&rotation, &app, &value("made-up-last"))) == "IDENTIFIED BY 'made-up-last'");
        let both = ["made-up-one", "made-up-two"].map(|text| Hash::of(&value(text)));
        let wanted = format!(
            "IDENTIFIED VIA mysql_native_password USING '{}' OR mysql_native_password USING '{}'",
            both[0].as_str(),
            both[1].as_str()
        );
        assert!(said(any_of(&rotation, &app, &both)) == wanted);
    }

    #[test]
    fn a_text_cannot_end_its_quotes() {
        assert_eq!(*literal("o'brien\\'; --"), "'o\\'brien\\\\\\'; --'");
        assert_eq!(*literal("ünï \"x\" `y` \0"), "'ünï \"x\" `y` \\0'");
    }
}
