//! The way to a server.

use std::fmt;
use std::io;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{ConnectOptions as _, Connection as _};
use swarmsecrets_core::credential::{Encryption, Login};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::failure;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Which server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    MariaDb,
    MySql,
}

/// Where a server is, and how it is talked to.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    pub(crate) authority: Option<Vec<u8>>,
}

impl Server {
    /// Opens a connection as a user.
    pub(crate) async fn connect(
        &self,
        user: &str,
        password: &str,
    ) -> std::result::Result<MySqlConnection, sqlx::Error> {
        // `connect` is the options' own: unlike the one of connections it sets the session up.
        let options = self.options().username(user).password(password);
        match tokio::time::timeout(CONNECT_WITHIN, options.connect()).await {
            Ok(connected) => connected,
            Err(_) => Err(sqlx::Error::Io(io::Error::from(io::ErrorKind::TimedOut))),
        }
    }

    /// Logs in as a user, and out again.
    pub(crate) async fn login(&self, user: &str, password: &SecretValue) -> Login {
        let Ok(password) = std::str::from_utf8(password.expose()) else {
            return Login::Unclear(Error::new(ErrorKind::Invalid, "a password that is not UTF-8 text cannot be tried"));
        };
        match self.connect(user, password).await {
            Ok(connection) => {
                close(connection).await;
                Login::Works
            }
            Err(error) => failure::login(&self.to_string(), &error),
        }
    }

    /// Whether a user logs in with this password.
    pub(crate) async fn logs_in(&self, user: &str, password: &SecretValue) -> Result<bool> {
        self.login(user, password).await.works()
    }

    fn options(&self) -> MySqlConnectOptions {
        let wanted = self.encryption.wanted_to(&self.host);
        let mode = if wanted { MySqlSslMode::VerifyIdentity } else { MySqlSslMode::Disabled };
        let mut options = MySqlConnectOptions::new().port(self.port).ssl_mode(mode).timezone(None);
        options = if self.host.starts_with('/') { options.socket(&self.host) } else { options.host(&self.host) };
        if let Some(authority) = &self.authority {
            options = options.ssl_ca_from_pem(authority.clone());
        }
        // Statements hold passwords or their hashes.
        options.disable_statement_logging()
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::MariaDb => "MariaDB",
            Kind::MySql => "MySQL",
        };
        write!(f, "{kind} at {}:{}", self.host, self.port)
    }
}

/// Says goodbye; that the server does not hear it changes nothing.
pub(crate) async fn close(connection: MySqlConnection) {
    let _ = tokio::time::timeout(CONNECT_WITHIN, connection.close()).await;
}
