//! The way to a server.

use std::fmt;
use std::io;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisError};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;

use crate::failure;
use crate::tls::Tls;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Where a server is, and how it is talked to.
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Option<Tls>,
}

/// A connection. Dropping it ends it.
pub(crate) struct Connection {
    commands: MultiplexedConnection,
    driver: JoinHandle<()>,
}

impl Server {
    /// Opens a connection and logs in.
    ///
    /// # Errors
    /// `Unauthorized` if the server refuses the user or the password.
    pub(crate) async fn connect(&self, user: &str, password: &SecretValue) -> Result<Connection> {
        let mut connection = match tokio::time::timeout(CONNECT_WITHIN, self.open()).await {
            Ok(opened) => opened?,
            Err(_) => return Err(failure::no_connection(&self.to_string(), &io::ErrorKind::TimedOut.into())),
        };
        let mut login = redis::cmd("AUTH");
        login.arg(user).arg(password.expose());
        connection.ask::<()>(&login).await.map_err(|error| failure::no_answer(&self.to_string(), &error))?;
        Ok(connection)
    }

    async fn open(&self) -> Result<Connection> {
        let failed = |error: io::Error| failure::no_connection(&self.to_string(), &error);
        if self.host.starts_with('/') {
            return self.over(UnixStream::connect(&self.host).await.map_err(failed)?).await;
        }
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let tcp = TcpStream::connect((bare, self.port)).await.map_err(failed)?;
        match &self.tls {
            Some(tls) => self.over(tls.encrypt(&self.host, tcp).await.map_err(failed)?).await,
            None => self.over(tcp).await,
        }
    }

    async fn over(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Connection> {
        // No login yet: the crate takes each refusal for one of the password. And no name: it is not asked for.
        let quiet = RedisConnectionInfo::default().set_skip_set_lib_name();
        let patient = AsyncConnectionConfig::new().set_response_timeout(Some(ANSWER_WITHIN));
        match MultiplexedConnection::new_with_config(&quiet, stream, patient).await {
            Ok((commands, driver)) => Ok(Connection { commands, driver: tokio::spawn(driver) }),
            Err(error) => Err(failure::no_answer(&self.to_string(), &error)),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.starts_with('/') {
            return write!(f, "Redis at {}", self.host);
        }
        write!(f, "Redis at {}:{}", self.host, self.port)
    }
}

impl Connection {
    /// Sends a command, once.
    pub(crate) async fn ask<T: redis::FromRedisValue>(
        &mut self,
        command: &redis::Cmd,
    ) -> std::result::Result<T, RedisError> {
        command.query_async(&mut self.commands).await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The error for a server that answers in a way that is not understood.
pub(crate) fn not_understood(server: &Server, what: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("{server} describes {what} in a way that is not understood"))
}
