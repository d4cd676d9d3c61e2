//! Which passwords are changed in step with which secrets, and where.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use swarmsecrets_core::credential::{Account, CommandLines, Commands, CredentialSetter, Encryption, Shape};
use swarmsecrets_core::executor::PasswordChange;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_mysql::MysqlSetter;
use swarmsecrets_postgres::PostgresSetter;
use swarmsecrets_redis::RedisSetter;

use crate::entries::{self, Settings};

/// The passwords of a rotation, by the names of the logical secrets.
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<String, PasswordChange>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    credentials: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    system: System,
    host: Option<String>,
    port: Option<u16>,
    administrator: Option<String>,
    administrator_password_file: Option<PathBuf>,
    /// PostgreSQL's database to log in to.
    database: Option<String>,
    user: Option<String>,
    /// The host part of MariaDB's and MySQL's user.
    user_host: Option<String>,
    /// Two roles of PostgreSQL that take turns.
    users: Option<[String; 2]>,
    shape: Option<Shape>,
    encryption: Option<Encrypt>,
    ca_file: Option<PathBuf>,
    current_value_file: Option<PathBuf>,
    /// The service in whose container commands run, and these.
    service: Option<String>,
    set: Option<Vec<String>>,
    test_new: Option<Vec<String>>,
    test_old: Option<Vec<String>>,
    revoke: Option<Vec<String>>,
    undo: Option<Vec<String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum System {
    Postgres,
    Mariadb,
    Mysql,
    Redis,
    /// Commands in a container.
    Exec,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Encrypt {
    OverTheNetwork,
    Always,
    Never,
}

impl Credentials {
    /// Reads a file of `--credentials`. Passwords and values are in other files, which `read` reads.
    ///
    /// # Errors
    /// `Io` if a file cannot be read, `Invalid` if it cannot be understood: with the secret that the entry is for.
    pub fn read(path: &Path, read: impl Fn(&Path) -> Result<SecretValue>) -> Result<Self> {
        let file: File = entries::read(path)?;
        let folder = entries::folder(path);
        let change = |(secret, entry): (String, Entry)| {
            let from = |key: &str, file: Option<&Path>| read(&folder.join(given(key, file)?));
            let change = entry.change(folder, &from).map_err(|error| error.context(secret.clone()))?;
            Ok((secret, change))
        };
        file.credentials.into_iter().map(change).collect::<Result<_>>().map(Self)
    }

    /// These passwords and another one.
    #[must_use]
    pub fn and(mut self, secret: impl Into<String>, change: PasswordChange) -> Self {
        self.0.insert(secret.into(), change);
        self
    }

    /// Whose passwords they are.
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<String, Account> {
        self.0.iter().map(|(secret, change)| (secret.clone(), change.account())).collect()
    }

    /// What an executor changes them with.
    #[must_use]
    pub fn changes(&self) -> BTreeMap<String, PasswordChange> {
        self.0.clone()
    }
}

/// A change of a password from the settings of an entry and the values that it needs beside them.
///
/// # Errors
/// `Invalid` if the settings cannot be understood or a value is missing, `Io` if a file that they name cannot be read.
pub fn credential(
    settings: Settings,
    administrator_password: Option<SecretValue>,
    current: Option<SecretValue>,
) -> Result<PasswordChange> {
    let entry: Entry = entries::understand(settings)?;
    entries::refuse_strays(&[
        ("administrator-password-file", entry.administrator_password_file.is_some()),
        ("current-value-file", entry.current_value_file.is_some()),
    ])?;
    let from = |key: &str, _: Option<&Path>| match key {
        ADMINISTRATOR => given("administrator_password", administrator_password.clone()),
        _ => given("current", current.clone()),
    };
    entry.change(Path::new(""), &from)
}

/// Where a value comes from: the setting, and the file that it names, if it does.
type Values<'f> = &'f dyn Fn(&str, Option<&Path>) -> Result<SecretValue>;

const ADMINISTRATOR: &str = "administrator-password-file";
const CURRENT: &str = "current-value-file";

/// What the setters of all servers need.
struct Server {
    host: String,
    administrator: String,
    password: SecretValue,
    shape: Shape,
    encryption: Encryption,
    authority: Option<Vec<u8>>,
}

impl Entry {
    fn change(self, folder: &Path, from: Values<'_>) -> Result<PasswordChange> {
        self.only_for_its_system()?;
        let setter = match self.system {
            System::Exec => return self.commands().map(PasswordChange::Commands),
            System::Postgres => self.postgres(self.server(folder, from)?),
            System::Mariadb | System::Mysql => self.mysql(self.server(folder, from)?),
            System::Redis => self.redis(self.server(folder, from)?),
        };
        let current = Some(from(CURRENT, self.current_value_file.as_deref())?);
        Ok(PasswordChange::Setter { setter: setter?, current })
    }

    fn server(&self, folder: &Path, from: Values<'_>) -> Result<Server> {
        Ok(Server {
            host: given("host", self.host.as_ref())?.clone(),
            administrator: given("administrator", self.administrator.as_ref())?.clone(),
            password: from(ADMINISTRATOR, self.administrator_password_file.as_deref())?,
            shape: self.shape.clone().unwrap_or(Shape::Whole),
            encryption: match self.encryption {
                None | Some(Encrypt::OverTheNetwork) => Encryption::OverTheNetwork,
                Some(Encrypt::Always) => Encryption::Always,
                Some(Encrypt::Never) => Encryption::NeverEvenOverTheNetwork,
            },
            authority: entries::authority(folder, self.ca_file.as_deref())?,
        })
    }

    fn user(&self) -> Result<&str> {
        self.user.as_deref().ok_or_else(|| Error::new(ErrorKind::Invalid, "whose password? give `user`"))
    }

    /// Settings of one system that another one has no use for are refused.
    fn only_for_its_system(&self) -> Result<()> {
        let exec = matches!(self.system, System::Exec);
        let postgres = matches!(self.system, System::Postgres);
        let mysql = matches!(self.system, System::Mariadb | System::Mysql);
        let of_servers = [
            ("host", self.host.is_some()),
            ("port", self.port.is_some()),
            ("administrator", self.administrator.is_some()),
            ("administrator-password-file", self.administrator_password_file.is_some()),
            ("shape", self.shape.is_some()),
            ("encryption", self.encryption.is_some()),
            ("ca-file", self.ca_file.is_some()),
            ("current-value-file", self.current_value_file.is_some()),
        ];
        let of_commands = [
            ("service", self.service.is_some()),
            ("set", self.set.is_some()),
            ("test-new", self.test_new.is_some()),
            ("test-old", self.test_old.is_some()),
            ("revoke", self.revoke.is_some()),
            ("undo", self.undo.is_some()),
        ];
        entries::refuse_strays(if exec { &of_servers } else { &of_commands })?;
        entries::refuse_strays(&[
            ("database", self.database.is_some() && !postgres),
            ("users", self.users.is_some() && !postgres),
            ("user-host", self.user_host.is_some() && !mysql),
            ("users", self.users.is_some() && self.user.is_some()),
        ])
    }

    fn commands(&self) -> Result<Commands> {
        let line = |key: &str, line: &Option<Vec<String>>| given(key, line.as_ref()).cloned();
        let lines = CommandLines {
            set: line("set", &self.set)?,
            test_new: line("test-new", &self.test_new)?,
            test_old: line("test-old", &self.test_old)?,
            undo: line("undo", &self.undo)?,
            revoke: self.revoke.clone(),
        };
        Commands::new(given("service", self.service.as_ref())?, self.user()?, lines)
    }

    fn postgres(&self, server: Server) -> Result<Arc<dyn CredentialSetter>> {
        let mut setter = PostgresSetter::at(&server.host, self.port.unwrap_or(5432))
            .administrator(&server.administrator, server.password)
            .shape(server.shape)
            .encryption(server.encryption);
        setter = match &self.users {
            Some([one, other]) => setter.users_in_turn(one, other),
            None => setter.user(self.user()?),
        };
        if let Some(database) = &self.database {
            setter = setter.database(database);
        }
        if let Some(pem) = server.authority {
            setter = setter.certificate_authority(pem);
        }
        Ok(Arc::new(setter.build()?))
    }

    fn mysql(&self, server: Server) -> Result<Arc<dyn CredentialSetter>> {
        let port = self.port.unwrap_or(3306);
        let setter = match self.system {
            System::Mariadb => MysqlSetter::mariadb_at(&server.host, port),
            _ => MysqlSetter::mysql_at(&server.host, port),
        };
        let mut setter = setter
            .administrator(&server.administrator, server.password)
            .shape(server.shape)
            .encryption(server.encryption)
            .user(self.user()?, self.user_host.as_deref().unwrap_or("%"));
        if let Some(pem) = server.authority {
            setter = setter.certificate_authority(pem);
        }
        Ok(Arc::new(setter.build()?))
    }

    fn redis(&self, server: Server) -> Result<Arc<dyn CredentialSetter>> {
        let mut setter = RedisSetter::at(&server.host, self.port.unwrap_or(6379))
            .administrator(&server.administrator, server.password)
            .shape(server.shape)
            .encryption(server.encryption)
            .user(self.user()?);
        if let Some(pem) = server.authority {
            setter = setter.certificate_authority(pem);
        }
        Ok(Arc::new(setter.build()?))
    }
}

fn given<T>(key: &str, setting: Option<T>) -> Result<T> {
    setting.ok_or_else(|| Error::new(ErrorKind::Invalid, format!("`{key}` is missing")))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn read(text: &str) -> Result<Credentials> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in
            [("c.toml", text), ("admin", "made-up"), ("current", r#"{"username":"app_a","password":"made-up"}"#)]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Credentials::read(&folder.path().join("c.toml"), |path| {
            swarmsecrets_host::read_value(path).map(|supplied| supplied.value)
        })
    }

    #[test]
    fn a_credential_is_read_with_the_files_beside_it() {
        let accounts = read(GOOD).unwrap_or_else(|error| panic!("{}", error)).accounts();
        let account = &accounts["db_password"];
        assert_eq!(account.user, "app_a/app_b");
        assert!(account.system.contains("127.0.0.1"), "{account}");
        assert!(read("[credentials]").is_ok_and(|none| none.accounts().is_empty()));
    }

    const COMMANDS: &str = r#"
[credentials.db_password]
system = "exec"
service = "shop_mysql"
user = "app"
set = ["sh", "-c", "mysqladmin password"]
test-new = ["true"]
test-old = ["true"]
undo = ["true"]
"#;

    /// The example that people copy.
    #[test]
    fn the_documented_commands_are_read() {
        let page = include_str!("../../docs/credentials.md");
        let mut blocks = page.split("```toml\n").skip(1).filter_map(|block| block.split("```").next());
        let block = blocks.find(|block| block.contains("system = \"exec\"")).unwrap();
        let credentials = read(block).unwrap_or_else(|error| panic!("{}", error));
        assert_eq!(credentials.accounts()["db_password"].to_string(), "user wordpress of service `shop_mysql`");
    }

    #[test]
    fn commands_are_read() {
        let account = read(COMMANDS).unwrap_or_else(|error| panic!("{}", error)).accounts()["db_password"].clone();
        assert_eq!(account.to_string(), "user app of service `shop_mysql`");
        assert!(!account.way.holds_two(), "nothing is there that ends the old one");
        for (from, to, part) in [
            ("undo =", "host =", "invalid type"),
            ("undo = [\"true\"]", "", "`undo` is missing"),
            ("user = \"app\"", "", "give `user`"),
            ("service = \"shop_mysql\"", "", "`service` is missing"),
            ("[\"true\"]", "[]", "the command is empty"),
            ("undo =", "current-value-file = \"current\"\nundo =", "`current-value-file` does not belong here"),
        ] {
            let error = read(&COMMANDS.replacen(from, to, 1)).err().unwrap_or_else(|| panic!("{to} is taken"));
            assert!(error.to_string().contains(part), "{to}: {}", error);
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, part) in [
            ("system = \"postgres\"", "system = \"oracle\"", "oracle"),
            ("system = \"postgres\"", "system = \"exec\"", "`host` does not belong here"),
            ("host =", "hots =", "hots"),
            ("host = \"127.0.0.1\"", "", "`host` is missing"),
            ("host =", "service = \"db\"\nhost =", "`service` does not belong here"),
            ("\"admin\"", "\"nosuch\"", "nosuch"),
            ("users = [\"app_a\", \"app_b\"]", "", "give `user`"),
            ("users = [\"app_a\", \"app_b\"]", "user = \"app\"\nuser-host = \"%\"", "`user-host` does not belong"),
            ("shape = \"json:/password\"", "shape = \"nonsense\"", "nonsense"),
        ] {
            let error = read(&GOOD.replace(from, to)).err().unwrap_or_else(|| panic!("{to} is taken"));
            assert!(error.to_string().contains(part), "{to}: {}", error);
        }
    }
}
