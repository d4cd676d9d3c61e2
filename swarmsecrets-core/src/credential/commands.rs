//! Passwords that are changed by commands in a container of the service that holds them.
//!
//! Docker's own example changes MySQL's password so: old and new version are mounted in the database's container under two
//! targets, and a command there reads both files. No value is handed to the command, so none stands in its arguments.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::setter::{Account, Login, Way};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::{Exec, check_command};
use crate::ids::{TaskId, quoted};

/// What a shell or the Engine says of a program that is not there or cannot be run.
const NOT_RUN: [i64; 2] = [126, 127];

/// The service in whose container the commands run: for plans, which keep no command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// The service's name.
    pub service: String,
    /// The SHA-256 of the commands, in hexadecimal digits.
    pub commands: String,
}

/// The commands: programs with their arguments, without a shell. They find the new value in the file of the secret's
/// target, and the old one in the file of [`SecretReference::beside`](crate::model::SecretReference::beside). Their arguments can be read by whoever may inspect the
/// container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLines {
    /// Makes the new password valid. Run while the old one logs in.
    pub set: Vec<String>,
    /// Exits with 0 if the new password logs in.
    pub test_new: Vec<String>,
    /// Exits with 0 if the old password logs in.
    pub test_old: Vec<String>,
    /// Makes the old password the only valid one again. Run while the new one logs in.
    pub undo: Vec<String>,
    /// Ends the old password. Without it, `set` ends it: the system holds one password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<Vec<String>>,
}

/// The container in which commands run.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Runs them.
    pub exec: &'a dyn Exec,
    /// The task whose container it is.
    pub task: &'a TaskId,
}

/// Changes a password by commands.
///
/// What counts is who logs in, before and after a command: a command that has done its work already is not run again, and one
/// that fails after it has done it is believed by what it did. A password counts as refused only while the other one logs in:
/// a system that is not up refuses both.
#[derive(Clone, Debug)]
pub struct Commands {
    service: String,
    user: String,
    lines: CommandLines,
    deadline: Duration,
}

/// Whose password logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Old,
    New,
    Both,
}

impl Commands {
    /// Commands in the container of a service that change a user's password.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] and [`ErrorKind::TooLarge`] for what can be no command.
    pub fn new(service: impl Into<String>, user: impl Into<String>, lines: CommandLines) -> Result<Self> {
        let CommandLines { set, test_new, test_old, undo, revoke } = &lines;
        let named = [("set", Some(set)), ("test-new", Some(test_new)), ("test-old", Some(test_old))];
        for (name, line) in named.into_iter().chain([("undo", Some(undo)), ("revoke", revoke.as_ref())]) {
            line.map_or(Ok(()), |line| check_command(line)).map_err(|error| error.context(format!("`{name}`")))?;
        }
        Ok(Self { service: service.into(), user: user.into(), lines, deadline: Duration::from_secs(30) })
    }

    /// Whose password they change, and where.
    #[must_use]
    pub fn account(&self) -> Account {
        let way = if self.lines.revoke.is_some() { Way::HoldsTwo } else { Way::Replaces };
        let account = Account::new(format!("service {}", quoted(&self.service)), &self.user, way);
        let text = serde_json::to_vec(&self.lines).unwrap_or_default();
        let commands = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        Account { provider: Some(Provider { service: self.service.clone(), commands }), ..account }
    }

    /// Makes the new password valid.
    ///
    /// # Errors
    /// `Refused` if it was not done, `Unreachable` if neither password logs in, `Protocol` if neither does afterwards, and those
    /// of [`Exec::run`].
    pub async fn set(&self, place: Place<'_>) -> Result<()> {
        if self.who(place).await? != Who::Old {
            return Ok(());
        }
        let code = self.run(place, &self.lines.set).await?;
        if code == 0 || self.who_now(place).await? != Who::Old { Ok(()) } else { Err(self.failed("set", code)) }
    }

    /// Ends the old password.
    ///
    /// # Errors
    /// As [`Commands::set`]; `Refused` also if the new one does not log in.
    pub async fn revoke(&self, place: Place<'_>) -> Result<()> {
        match (self.who(place).await?, &self.lines.revoke) {
            (Who::New, _) => Ok(()),
            (Who::Old, _) => Err(Error::new(ErrorKind::Refused, "the new password does not log in")),
            (Who::Both, None) => Err(Error::new(
                ErrorKind::Refused,
                "it logs in beside the new one, and no command is given that ends it",
            )),
            (Who::Both, Some(revoke)) => {
                let code = self.run(place, revoke).await?;
                if code == 0 || self.who_now(place).await? == Who::New {
                    Ok(())
                } else {
                    Err(self.failed("revoke", code))
                }
            }
        }
    }

    /// Makes the old password the only valid one again.
    ///
    /// # Errors
    /// As [`Commands::set`].
    pub async fn undo(&self, place: Place<'_>) -> Result<()> {
        if self.who(place).await? == Who::Old {
            return Ok(());
        }
        let code = self.run(place, &self.lines.undo).await?;
        if self.who_now(place).await? == Who::Old { Ok(()) } else { Err(self.failed("undo", code)) }
    }

    /// Whether the old password logs in, or the new one.
    pub async fn verify(&self, place: Place<'_>, new: bool) -> Login {
        match (self.who(place).await, new) {
            (Err(error), _) => Login::Unclear(error),
            (Ok(Who::Both), _) | (Ok(Who::New), true) | (Ok(Who::Old), false) => Login::Works,
            (Ok(Who::New), false) | (Ok(Who::Old), true) => Login::Refused,
        }
    }

    async fn who(&self, place: Place<'_>) -> Result<Who> {
        let new = self.run(place, &self.lines.test_new).await? == 0;
        let old = self.run(place, &self.lines.test_old).await? == 0;
        match (old, new) {
            (true, true) => Ok(Who::Both),
            (true, false) => Ok(Who::Old),
            (false, true) => Ok(Who::New),
            (false, false) => Err(Error::new(
                ErrorKind::Unreachable,
                "neither the old password nor the new one logs in: the system may not be up, or has another one",
            )),
        }
    }

    /// The same after something was changed: no answer leaves it unknown.
    async fn who_now(&self, place: Place<'_>) -> Result<Who> {
        self.who(place).await.map_err(|error| Error::new(ErrorKind::Protocol, error.to_string()))
    }

    async fn run(&self, place: Place<'_>, line: &[String]) -> Result<i64> {
        let code = place.exec.run(place.task, line, self.deadline).await?;
        if NOT_RUN.contains(&code) {
            let program = quoted(line.first().map_or("", String::as_str));
            let text = format!("{program} could not be run in {} (exit code {code})", quoted(&self.service));
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        Ok(code)
    }

    fn failed(&self, name: &str, code: i64) -> Error {
        let text = format!("the command `{name}` in {} exits with {code}, and has not done it", quoted(&self.service));
        Error::new(ErrorKind::Refused, text)
    }
}
