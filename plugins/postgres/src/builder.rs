//! The settings of a setter.

use swarmsecrets_core::credential::{Encryption, Shape};
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::PostgresSetter;
use crate::administrator::Administrator;
use crate::server::Server;
use crate::setter::Roles;

/// PostgreSQL cuts longer names off, and would mean another role.
const LONGEST_NAME: usize = 63;

/// The settings of a [`PostgresSetter`].
#[must_use]
pub struct Builder {
    server: Server,
    administrator: Option<Administrator>,
    shape: Shape,
    roles: Option<Roles>,
}

impl Builder {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        let server = Server {
            host: host.to_owned(),
            port,
            database: "postgres".to_owned(),
            encryption: Encryption::default(),
            authority: None,
        };
        Self { server, administrator: None, shape: Shape::Whole, roles: None }
    }

    /// The database to log in to, as administrator and to verify passwords: one that the role may connect to. Without it,
    /// `postgres`.
    pub fn database(mut self, name: &str) -> Self {
        name.clone_into(&mut self.server.database);
        self
    }

    /// Who changes the passwords.
    pub fn administrator(mut self, role: &str, password: SecretValue) -> Self {
        self.administrator = Some(Administrator { role: role.to_owned(), password });
        self
    }

    /// The one role whose password is replaced in place.
    pub fn user(mut self, role: &str) -> Self {
        self.roles = Some(Roles::One(role.to_owned()));
        self
    }

    /// The two roles that take turns.
    pub fn users_in_turn(mut self, one: &str, other: &str) -> Self {
        self.roles = Some(Roles::InTurn([one.to_owned(), other.to_owned()]));
        self
    }

    /// Where the password stands in the secret's value. Without it, the value is the password.
    pub fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// When connections are encrypted.
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.server.encryption = encryption;
        self
    }

    /// An authority (PEM) whose certificates are trusted besides those that the system trusts.
    pub fn certificate_authority(mut self, pem: Vec<u8>) -> Self {
        self.server.authority = Some(pem);
        self
    }

    /// Makes the setter. Nothing is connected yet.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying what is missing or cannot be.
    pub fn build(self) -> Result<PostgresSetter> {
        let bad = |why: String| Error::new(ErrorKind::Settings, format!("{} cannot be set up: {why}", self.server));
        let roles = self.roles.ok_or_else(|| bad("say whose password is to be changed".into()))?;
        let administrator = self.administrator.ok_or_else(|| bad("say who the administrator is".into()))?;
        let names: &[String] = match &roles {
            Roles::One(name) => std::slice::from_ref(name),
            Roles::InTurn(names) => names,
        };
        if let Some(name) = names.iter().find(|name| !is_name(name)) {
            return Err(bad(format!("{} is not a role's name of 1 to {LONGEST_NAME} bytes", quoted(name))));
        }
        if let Roles::InTurn([one, other]) = &roles {
            if one == other {
                return Err(bad(format!("role {} cannot take turns with itself", quoted(one))));
            }
            if self.shape == Shape::Whole {
                return Err(bad("roles that take turns need a value that names them: a URL or JSON".into()));
            }
        }
        if std::str::from_utf8(administrator.password.expose()).is_err() {
            return Err(bad("the administrator's password is not UTF-8 text".into()));
        }
        Ok(PostgresSetter { server: self.server, administrator, shape: self.shape, roles })
    }
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && !name.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Builder {
        PostgresSetter::at("db", 5432).administrator("admin", SecretValue::credential(b"made-up-admin".to_vec()))
    }

    fn refusal(builder: Builder) -> String {
        let error = builder.build().err().expect("the settings are refused");
        assert_eq!(error.kind(), ErrorKind::Settings);
        error.to_string()
    }

    #[test]
    fn what_is_missing_or_cannot_be_is_said() {
        assert!(refusal(settings()).contains("whose password"));
        assert!(refusal(PostgresSetter::at("db", 1).user("app")).contains("administrator"));
        assert!(refusal(settings().user("")).contains("not a role's name"));
        assert!(refusal(settings().user(&"a".repeat(64))).contains("not a role's name"));
        assert!(refusal(settings().user("a\0b")).contains("not a role's name"));
        let in_turn = |one: &str, other: &str| settings().users_in_turn(one, other);
        assert!(refusal(in_turn("a", "b")).contains("a value that names them"));
        assert!(refusal(in_turn("a", "a").shape(Shape::UrlPassword)).contains("with itself"));
        assert!(in_turn("a", "b").shape(Shape::UrlPassword).build().is_ok());
    }

    #[tokio::test]
    async fn a_server_over_the_network_that_cannot_encrypt_is_refused() {
        // Stands for a server far away: `Always` asks the same of a near one.
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plain = tokio::spawn(async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 8];
            socket.read_exact(&mut request).await.unwrap();
            socket.write_all(b"N").await.unwrap();
            let mut more = Vec::new();
            socket.read_to_end(&mut more).await.unwrap();
            more
        });
        let setter = PostgresSetter::at("127.0.0.1", port)
            .administrator("admin", SecretValue::credential(b"made-up-admin".to_vec()))
            .user("app")
            .encryption(Encryption::Always)
            .build()
            .unwrap();
        use swarmsecrets_core::credential::{CredentialSetter as _, Login};
        let value = SecretValue::new(b"made-up-password".to_vec()).unwrap();
        let Login::Unclear(error) = setter.verify(&value).await else { panic!("a login without encryption") };
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(plain.await.unwrap().is_empty(), "something was sent unencrypted");
    }
}
