//! The settings of a setter.

use swarmsecrets_core::credential::{Encryption, Shape};
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::RedisSetter;
use crate::server::Server;
use crate::session::Administrator;
use crate::tls::Tls;

/// The settings of a [`RedisSetter`].
#[must_use]
pub struct Builder {
    host: String,
    port: u16,
    encryption: Encryption,
    authority: Option<Vec<u8>>,
    administrator: Option<Administrator>,
    shape: Shape,
    user: Option<String>,
    in_memory_only: bool,
}

impl Builder {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
            encryption: Encryption::default(),
            authority: None,
            administrator: None,
            shape: Shape::Whole,
            user: None,
            in_memory_only: false,
        }
    }

    /// Who changes the password.
    pub fn administrator(mut self, user: &str, password: SecretValue) -> Self {
        self.administrator = Some(Administrator { user: user.to_owned(), password });
        self
    }

    /// Whose password is changed; `default` is the user of clients that name none.
    pub fn user(mut self, name: &str) -> Self {
        self.user = Some(name.to_owned());
        self
    }

    /// Where the password stands in the secret's value. Without it, the value is the password.
    pub fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// When connections are encrypted.
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.encryption = encryption;
        self
    }

    /// An authority (PEM) whose certificates are trusted besides those that the system trusts.
    pub fn certificate_authority(mut self, pem: Vec<u8>) -> Self {
        self.authority = Some(pem);
        self
    }

    /// Says that the server's users are set up from outside at each start, so that nothing need be saved.
    pub fn users_in_memory_only(mut self) -> Self {
        self.in_memory_only = true;
        self
    }

    /// Makes the setter. Nothing is connected yet.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying what is missing or cannot be.
    pub fn build(self) -> Result<RedisSetter> {
        let bad = |why: &str| {
            Error::new(ErrorKind::Settings, format!("Redis at {}:{} cannot be set up: {why}", self.host, self.port))
        };
        let user = self.user.ok_or_else(|| bad("say whose password is to be changed"))?;
        let administrator = self.administrator.ok_or_else(|| bad("say who the administrator is"))?;
        if user.is_empty() || user.contains(|c: char| c.is_ascii_whitespace() || c == '\0') {
            return Err(bad(&format!(
                "{} is not a user's name: it has no spaces and no zero character",
                quoted(&user)
            )));
        }
        let tls = match self.encryption.wanted_to(&self.host) {
            true if self.host.starts_with('/') => return Err(bad("a Unix socket cannot be encrypted")),
            true => Some(Tls::trusting(self.authority.as_deref())?),
            false => None,
        };
        let server = Server { host: self.host, port: self.port, tls };
        Ok(RedisSetter { server, administrator, shape: self.shape, user, in_memory_only: self.in_memory_only })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(host: &str) -> Builder {
        RedisSetter::at(host, 6379).administrator("admin", SecretValue::credential(b"made-up-admin".to_vec()))
    }

    fn refusal(builder: Builder) -> String {
        let error = builder.build().err().expect("the settings are refused");
        assert_eq!(error.kind(), ErrorKind::Settings);
        error.to_string()
    }

    #[test]
    fn what_is_missing_or_cannot_be_is_said() {
        assert!(refusal(settings("cache")).contains("whose password"));
        assert!(refusal(RedisSetter::at("cache", 1).user("app")).contains("administrator"));
        assert!(refusal(settings("cache").user("two words")).contains("no spaces"));
        assert!(refusal(settings("/run/redis").user("app").encryption(Encryption::Always)).contains("Unix socket"));
        let bad = settings("cache").user("app").certificate_authority(b"-----BEGIN CERTIFICATE-----\nmade up".to_vec());
        assert!(refusal(bad).contains("authority"));
    }

    #[test]
    fn a_server_over_the_network_is_talked_to_encrypted() {
        let encrypted = |builder: Builder| builder.user("app").build().unwrap().server.tls.is_some();
        assert!(encrypted(settings("cache")) && encrypted(settings("10.0.0.1")));
        assert!(!encrypted(settings("127.0.0.1")) && !encrypted(settings("/run/redis/redis.sock")));
        assert!(!encrypted(settings("cache").encryption(Encryption::NeverEvenOverTheNetwork)));
    }
}
