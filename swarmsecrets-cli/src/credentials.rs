//! The file that says which passwords are changed in step with which secrets, and where.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use swarmsecrets_core::credential::{Account, CredentialSetter, Encryption, Shape};
use swarmsecrets_core::executor::PasswordChange;
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_mysql::MysqlSetter;
use swarmsecrets_postgres::PostgresSetter;
use swarmsecrets_redis::RedisSetter;

use crate::console::Console;
use crate::entries;
use crate::exit::Failure;
use crate::value::read_value;

/// The passwords of a rotation, by the names of the logical secrets.
#[derive(Default)]
pub(crate) struct Credentials(BTreeMap<String, PasswordChange>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    credentials: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    system: System,
    host: String,
    port: Option<u16>,
    administrator: String,
    administrator_password_file: PathBuf,
    /// PostgreSQL's database to log in to.
    database: Option<String>,
    user: Option<String>,
    /// The host part of MariaDB's and MySQL's user.
    user_host: Option<String>,
    /// Two roles of PostgreSQL that take turns.
    users: Option<[String; 2]>,
    #[serde(default = "whole")]
    shape: Shape,
    #[serde(default)]
    encryption: Encrypt,
    ca_file: Option<PathBuf>,
    current_value_file: PathBuf,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum System {
    Postgres,
    Mariadb,
    Mysql,
    Redis,
}

/// Why no command in a container changes a password, as people look for it: Docker's own example for MySQL does it so.
const NO_EXEC: &str = "a command in a container (`exec`) cannot be handed a password safely through Portainer: its arguments \
     can be read by whoever may inspect the container, and its standard input is a terminal there; use postgres, mariadb, mysql or \
     redis";

/// Whether a file that cannot be understood asks for commands in containers: its other keys are not known either.
fn asks_for_commands(text: &str) -> bool {
    let Ok(file) = text.parse::<toml::Table>() else { return false };
    let entries = file.get("credentials").and_then(|all| all.as_table());
    entries.is_some_and(|all| all.values().any(|entry| entry.get("system").and_then(|s| s.as_str()) == Some("exec")))
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Encrypt {
    #[default]
    OverTheNetwork,
    Always,
    Never,
}

fn whole() -> Shape {
    Shape::Whole
}

impl Credentials {
    /// Reads the file, and the passwords and values that it names.
    pub(crate) fn read(path: Option<&Path>, console: &Console) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::default()) };
        let file: File = entries::read(path, |text| asks_for_commands(text).then_some(NO_EXEC))?;
        let folder = entries::folder(path);
        let change = |(secret, entry): (String, Entry)| {
            let change = entry.change(folder, console).map_err(|failure| failure.about(&secret))?;
            Ok((secret, change))
        };
        file.credentials.into_iter().map(change).collect::<Result<_, Failure>>().map(Self)
    }

    /// Whose passwords they are.
    pub(crate) fn accounts(&self) -> BTreeMap<String, Account> {
        self.0.iter().map(|(secret, change)| (secret.clone(), change.setter.account())).collect()
    }

    /// What an executor changes them with.
    pub(crate) fn changes(&self) -> BTreeMap<String, PasswordChange> {
        self.0.clone()
    }
}

impl Entry {
    fn change(self, folder: &Path, console: &Console) -> Result<PasswordChange, Failure> {
        let password = read_value(&folder.join(&self.administrator_password_file), console)?;
        let current = read_value(&folder.join(&self.current_value_file), console)?;
        let authority = entries::authority(folder, self.ca_file.as_deref())?;
        let encryption = match self.encryption {
            Encrypt::OverTheNetwork => Encryption::OverTheNetwork,
            Encrypt::Always => Encryption::Always,
            Encrypt::Never => Encryption::NeverEvenOverTheNetwork,
        };
        let setter = self.setter(password, encryption, authority).map_err(Failure::input)?;
        Ok(PasswordChange { setter, current: Some(current) })
    }

    fn user(&self) -> Result<&str, Error> {
        self.user.as_deref().ok_or_else(|| Error::new(ErrorKind::Invalid, "whose password? give `user`"))
    }

    /// Settings of one system that another one has no use for are refused.
    fn only_for_its_system(&self) -> Result<(), Error> {
        let postgres = matches!(self.system, System::Postgres);
        let mysql = matches!(self.system, System::Mariadb | System::Mysql);
        entries::refuse_strays(&[
            ("database", self.database.is_some() && !postgres),
            ("users", self.users.is_some() && !postgres),
            ("user-host", self.user_host.is_some() && !mysql),
            ("users", self.users.is_some() && self.user.is_some()),
        ])
    }

    fn setter(
        &self,
        password: swarmsecrets_core::SecretValue,
        encryption: Encryption,
        authority: Option<Vec<u8>>,
    ) -> Result<Arc<dyn CredentialSetter>, Error> {
        self.only_for_its_system()?;
        let (host, administrator, shape) = (self.host.as_str(), self.administrator.as_str(), self.shape.clone());
        Ok(match self.system {
            System::Postgres => {
                let mut setter = PostgresSetter::at(host, self.port.unwrap_or(5432));
                setter = setter.administrator(administrator, password).shape(shape).encryption(encryption);
                setter = match &self.users {
                    Some([one, other]) => setter.users_in_turn(one, other),
                    None => setter.user(self.user()?),
                };
                if let Some(database) = &self.database {
                    setter = setter.database(database);
                }
                if let Some(pem) = authority {
                    setter = setter.certificate_authority(pem);
                }
                Arc::new(setter.build()?)
            }
            System::Mariadb | System::Mysql => {
                let port = self.port.unwrap_or(3306);
                let setter = match self.system {
                    System::Mariadb => MysqlSetter::mariadb_at(host, port),
                    _ => MysqlSetter::mysql_at(host, port),
                };
                let mut setter = setter.administrator(administrator, password).shape(shape).encryption(encryption);
                setter = setter.user(self.user()?, self.user_host.as_deref().unwrap_or("%"));
                if let Some(pem) = authority {
                    setter = setter.certificate_authority(pem);
                }
                Arc::new(setter.build()?)
            }
            System::Redis => {
                let mut setter = RedisSetter::at(host, self.port.unwrap_or(6379));
                setter = setter.administrator(administrator, password).shape(shape).encryption(encryption);
                setter = setter.user(self.user()?);
                if let Some(pem) = authority {
                    setter = setter.certificate_authority(pem);
                }
                Arc::new(setter.build()?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSOLE: Console = Console {
        json: false,
        colour: false,
        error_colour: false,
        errors_on_terminal: false,
        can_ask: false,
        width: 80,
    };

    const GOOD: &str = r#"
[credentials.db_password]
system = "postgres"
host = "127.0.0.1"
administrator = "postgres"
administrator-password-file = "admin"
users = ["app_a", "app_b"]
shape = "json:/password"
current-value-file = "current"
"#;

    fn read(text: &str) -> Result<Credentials, Failure> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in
            [("c.toml", text), ("admin", "made-up"), ("current", r#"{"username":"app_a","password":"made-up"}"#)]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Credentials::read(Some(&folder.path().join("c.toml")), &CONSOLE)
    }

    #[test]
    fn a_credential_is_read_with_the_files_beside_it() {
        let accounts = read(GOOD).unwrap_or_else(|failure| panic!("{}", failure.error)).accounts();
        let account = &accounts["db_password"];
        assert_eq!(account.user, "app_a/app_b");
        assert!(account.system.contains("127.0.0.1"), "{account}");
        assert!(read("[credentials]").is_ok_and(|none| none.accounts().is_empty()));
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, part) in [
            ("system = \"postgres\"", "system = \"oracle\"", "oracle"),
            (
                "system = \"postgres\"",
                "system = \"exec\"\nset = [\"mysqladmin\"]",
                "cannot be handed a password safely",
            ),
            ("host =", "hots =", "hots"),
            ("\"admin\"", "\"nosuch\"", "nosuch"),
            ("users = [\"app_a\", \"app_b\"]", "", "give `user`"),
            ("users = [\"app_a\", \"app_b\"]", "user = \"app\"\nuser-host = \"%\"", "`user-host` does not belong"),
            ("shape = \"json:/password\"", "shape = \"nonsense\"", "nonsense"),
        ] {
            let failure = read(&GOOD.replace(from, to)).err().unwrap_or_else(|| panic!("{to} is taken"));
            assert!(failure.error.to_string().contains(part), "{to}: {}", failure.error);
            assert_eq!(failure.exit, crate::exit::Exit::Usage, "{to}");
        }
    }
}
