//! MariaDB: one user, two hashes.

use serde_json::value::RawValue;
use sqlx::Row as _;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::administrator::{Administrator, Session};
use crate::hash::Hash;
use crate::server::Server;
use crate::statement::{self, User};

const TABLE: &str = "mysql.global_priv";
const LOOK: &str = "SELECT CAST(Priv AS CHAR) FROM mysql.global_priv WHERE User = ? AND Host = ?";

/// The parts that each call needs.
pub(crate) struct MariaDb<'a> {
    pub(crate) server: &'a Server,
    pub(crate) administrator: &'a Administrator,
    pub(crate) user: &'a User,
}

impl MariaDb<'_> {
    pub(crate) async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        let (current, next) = (Hash::of(current), Hash::of(next));
        let mut session = self.administrator.session(self.server, self.user).await?;
        let held = self.held(&mut session).await?;
        if !held.contains(&current) {
            return Err(
                self.error(ErrorKind::Stale, "does not log in with the current password: somebody has changed it")
            );
        }
        if held.iter().any(|hash| *hash != current && *hash != next) {
            return Err(self.third());
        }
        if !held.contains(&next) {
            session.change(&statement::any_of(rotation, self.user, &[current, next])).await?;
        }
        session.end().await
    }

    pub(crate) async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()> {
        let old = Hash::of(old);
        let mut session = self.administrator.session(self.server, self.user).await?;
        let held = self.held(&mut session).await?;
        let left: Vec<Hash> = held.iter().filter(|hash| **hash != old).cloned().collect();
        if left.is_empty() {
            return Err(
                self.error(ErrorKind::Refused, "has no other password than the old one: set the next one first")
            );
        }
        if left.len() < held.len() {
            session.change(&statement::any_of(rotation, self.user, &left)).await?;
        }
        session.end().await
    }

    pub(crate) async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()> {
        let current = Hash::of(current);
        let mut session = self.administrator.session(self.server, self.user).await?;
        let held = self.held(&mut session).await?;
        if held.iter().filter(|hash| **hash != current).count() > 1 {
            return Err(self.third());
        }
        if held != [current.clone()] {
            session.change(&statement::any_of(rotation, self.user, &[current])).await?;
        }
        session.end().await
    }

    async fn held(&self, session: &mut Session<'_>) -> Result<Vec<Hash>> {
        let row = session.look(TABLE, LOOK).await?;
        let text: String = row.try_get(0).map_err(|_| self.unreadable())?;
        hashes(&text).ok_or_else(|| self.unreadable())
    }

    fn unreadable(&self) -> Error {
        self.error(
            ErrorKind::Refused,
            "logs in in another way than by `mysql_native_password`, which is the only one that can be changed in two phases",
        )
    }

    fn third(&self) -> Error {
        self.error(
            ErrorKind::Conflict,
            "has a further password, which is neither the current nor the next one: another rotation's, or a person's",
        )
    }

    fn error(&self, kind: ErrorKind, why: &str) -> Error {
        Error::new(kind, format!("user {} of {} {why}", self.user, self.server))
    }
}

/// One way to log in, as it stands in `mysql.global_priv`.
type Members<'a> = std::collections::BTreeMap<&'a str, &'a RawValue>;

/// The hashes of all ways to log in; none if one of the ways is not `mysql_native_password`.
fn hashes(privileges: &str) -> Option<Vec<Hash>> {
    let all: Members<'_> = serde_json::from_str(privileges).ok()?;
    let Some(ways) = all.get("auth_or") else { return Some(vec![hash(&all)?]) };
    // Among the ways, an empty object stands for the one that is written beside the list.
    let ways: Vec<Members<'_>> = serde_json::from_str(ways.get()).ok()?;
    ways.iter().map(|way| if way.is_empty() { hash(&all) } else { hash(way) }).collect()
}

fn hash(way: &Members<'_>) -> Option<Hash> {
    let member = |key| serde_json::from_str::<String>(way.get(key)?.get()).ok();
    (member("plugin")? == "mysql_native_password").then(|| Hash::stored(&member("authentication_string")?))?
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4";
    const TWO: &str = "*FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";

    fn read(text: &str) -> Option<Vec<String>> {
        Some(hashes(text)?.iter().map(|hash| hash.as_str().to_owned()).collect())
    }

    #[test]
    fn one_way_and_several_are_read() {
        let native = |hash: &str| format!(r#""plugin":"mysql_native_password","authentication_string":"{hash}""#);
        let one = format!(r#"{{"access":0,"version_id":101119,{}}}"#, native(ONE));
        assert_eq!(read(&one).unwrap(), [ONE]);
        let two = format!(r#"{{{}, "auth_or":[{{}},{{{}}}]}}"#, native(ONE), native(TWO));
        assert_eq!(read(&two).unwrap(), [ONE, TWO]);
    }

    #[test]
    fn other_ways_are_not_guessed_at() {
        for other in [
            r#"{"plugin":"ed25519","authentication_string":"x"}"#,
            r#"{"plugin":"mysql_native_password","authentication_string":"invalid","auth_or":[{},{"plugin":"unix_socket"}]}"#,
            r#"{"access":0}"#,
            "null",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
