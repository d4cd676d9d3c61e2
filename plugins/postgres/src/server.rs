//! The way to a server.

use std::fmt;
use std::io;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _};
use swarmsecrets_core::credential::{Encryption, Login};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::failure;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Where a server is, and how it is talked to.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) encryption: Encryption,
    pub(crate) authority: Option<Vec<u8>>,
}

impl Server {
    /// Opens a connection as a role. `purpose` is what the server's own log shows.
    pub(crate) async fn connect(
        &self,
        role: &str,
        password: &str,
        purpose: &str,
    ) -> std::result::Result<PgConnection, sqlx::Error> {
        let options = self.options().username(role).password(password).application_name(purpose);
        match tokio::time::timeout(CONNECT_WITHIN, PgConnection::connect_with(&options)).await {
            Ok(connected) => connected,
            Err(_) => Err(sqlx::Error::Io(io::Error::from(io::ErrorKind::TimedOut))),
        }
    }

    /// Logs in as a role, and out again.
    pub(crate) async fn login(&self, role: &str, password: &SecretValue) -> Login {
        let Ok(password) = std::str::from_utf8(password.expose()) else {
            return Login::Unclear(Error::new(
                ErrorKind::Invalid,
                "PostgreSQL takes no password that is not UTF-8 text",
            ));
        };
        match self.connect(role, password, "swarmsecrets verifies").await {
            Ok(connection) => {
                close(connection).await;
                Login::Works
            }
            Err(error) => failure::login(&self.to_string(), &error),
        }
    }

    /// Whether a role logs in with this password.
    pub(crate) async fn logs_in(&self, role: &str, password: &SecretValue) -> Result<bool> {
        self.login(role, password).await.works()
    }

    fn options(&self) -> PgConnectOptions {
        let wanted = self.encryption.wanted_to(&self.host);
        let mode = if wanted { PgSslMode::VerifyFull } else { PgSslMode::Disable };
        let mut options =
            PgConnectOptions::new_without_pgpass().port(self.port).database(&self.database).ssl_mode(mode);
        options = if self.host.starts_with('/') { options.socket(&self.host) } else { options.host(&self.host) };
        if let Some(authority) = &self.authority {
            options = options.ssl_root_cert_from_pem(authority.clone());
        }
        // Statements hold verifiers.
        options.disable_statement_logging()
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL at {}:{}", self.host, self.port)
    }
}

/// Says goodbye; that the server does not hear it changes nothing.
pub(crate) async fn close(connection: PgConnection) {
    let _ = tokio::time::timeout(CONNECT_WITHIN, connection.close()).await;
}
