//! What is done as the administrator.

use std::collections::HashMap;

use redis::Value;
use swarmsecrets_core::ids::{RotationId, quoted};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::failure;
use crate::hash::Hash;
use crate::server::{Connection, Server, not_understood};

/// Who changes passwords.
pub(crate) struct Administrator {
    pub(crate) user: String,
    pub(crate) password: SecretValue,
}

/// How users survive a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    AclFile,
    ConfigFile,
    MemoryOnly,
}

/// A connection as the administrator, and the user whose password is changed.
pub(crate) struct Session<'a> {
    server: &'a Server,
    user: &'a str,
    connection: Connection,
}

impl Administrator {
    /// Opens a connection; `CLIENT LIST` and the slow log show for which rotation.
    pub(crate) async fn session<'a>(
        &self,
        server: &'a Server,
        user: &'a str,
        rotation: &RotationId,
    ) -> Result<Session<'a>> {
        let mut connection = server
            .connect(&self.user, &self.password)
            .await
            .map_err(|error| error.context(format!("cannot log in as the administrator {}", quoted(&self.user))))?;
        let mut name = redis::cmd("CLIENT");
        name.arg("SETNAME").arg(format!("swarmsecrets-{rotation}"));
        // Only a name: an administrator who may not give one does its work without.
        let _ = connection.ask::<()>(&name).await;
        Ok(Session { server, user, connection })
    }
}

impl Session<'_> {
    /// The hashes of the user's passwords.
    ///
    /// # Errors
    /// `NotFound` if there is no such user, `Refused` if the user needs no password.
    pub(crate) async fn held(&mut self) -> Result<Vec<Hash>> {
        let user = format!("user {} of {}", quoted(self.user), self.server);
        let mut look = redis::cmd("ACL");
        look.arg("GETUSER").arg(self.user);
        let answer: Value = self.look(&look).await?;
        if answer == Value::Nil {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no {user}")));
        }
        let unclear = |_| not_understood(self.server, "a user");
        let mut members: HashMap<String, Value> = redis::from_redis_value(answer).map_err(unclear)?;
        let mut texts = |key: &str| {
            let value = members.remove(key).unwrap_or_default();
            redis::from_redis_value::<Vec<String>>(value).map_err(unclear)
        };
        if texts("flags")?.iter().any(|flag| flag == "nopass") {
            let why = "needs no password: give it one (ACL SETUSER … resetpass >…)";
            return Err(Error::new(ErrorKind::Refused, format!("{user} {why}")));
        }
        Ok(texts("passwords")?.iter().map(|digits| Hash::stored(digits)).collect())
    }

    /// Where the server keeps its users.
    ///
    /// # Errors
    /// `Refused` if it keeps them nowhere.
    pub(crate) async fn keeps(&mut self) -> Result<Kept> {
        let mut look = redis::cmd("CONFIG");
        look.arg("GET").arg("aclfile");
        let settings: HashMap<String, String> = self.look(&look).await?;
        if settings.get("aclfile").is_some_and(|file| !file.is_empty()) {
            return Ok(Kept::AclFile);
        }
        let mut look = redis::cmd("INFO");
        look.arg("server");
        let info: String = self.look(&look).await?;
        let config = info.lines().find_map(|line| line.strip_prefix("config_file:")).unwrap_or_default();
        if !config.trim().is_empty() {
            return Ok(Kept::ConfigFile);
        }
        Err(Error::new(
            ErrorKind::Refused,
            format!(
                "{} keeps its users in memory only, so that a restart would bring the old password back: give it an ACL file, \
                 or say that this is known",
                self.server
            ),
        ))
    }

    /// Applies rules to the user, all or none.
    pub(crate) async fn change(&mut self, rules: &[String]) -> Result<()> {
        let mut change = redis::cmd("ACL");
        change.arg("SETUSER").arg(self.user).arg(rules);
        let changed = self.connection.ask::<()>(&change).await;
        changed.map_err(|error| failure::no_change(&self.server.to_string(), &error))
    }

    /// Saves the users. Done again after a lost answer, it does no harm.
    pub(crate) async fn save(&mut self, kept: Kept) -> Result<()> {
        let mut save = match kept {
            Kept::AclFile => redis::cmd("ACL"),
            Kept::ConfigFile => redis::cmd("CONFIG"),
            Kept::MemoryOnly => return Ok(()),
        };
        save.arg(if kept == Kept::AclFile { "SAVE" } else { "REWRITE" });
        // The change is made, whatever comes of saving it.
        self.connection.ask::<()>(&save).await.map_err(|error| {
            let code = error.code().unwrap_or("no answer").to_owned();
            Error::new(
                ErrorKind::Protocol,
                format!("{} did not save its users ({code}): the change holds until it restarts", self.server),
            )
        })
    }

    async fn look<T: redis::FromRedisValue>(&mut self, look: &redis::Cmd) -> Result<T> {
        self.connection.ask(look).await.map_err(|error| failure::no_answer(&self.server.to_string(), &error))
    }
}
