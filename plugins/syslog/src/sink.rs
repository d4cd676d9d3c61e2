//! The sink, and its connection.

use std::error::Error as StdError;
use std::time::Duration;

use async_trait::async_trait;
use rustls::pki_types::ServerName;
use swarmsecrets_core::audit::{AuditRecord, AuditSink};
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_tls::words;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::builder::Builder;
use crate::message::framed;

/// How long a connection may take, and a message.
const PATIENCE: Duration = Duration::from_secs(10);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Whether what is sent is encrypted, and who must answer then.
pub(crate) enum Encryption {
    Tls(TlsConnector, ServerName<'static>),
    None,
}

/// Audit records as messages of syslog. See [the crate](crate). Used from one runtime: its connection belongs to that.
pub struct SyslogAudit {
    address: String,
    encryption: Encryption,
    host: String,
    session: Mutex<Option<Box<dyn Stream>>>,
}

impl SyslogAudit {
    /// Begins with the address of the receiver, such as `siem.example.org:6514`.
    #[must_use]
    pub fn at(address: &str) -> Builder {
        Builder::at(address)
    }

    pub(crate) fn new(address: String, encryption: Encryption) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self { address, encryption, host, session: Mutex::default() }
    }

    async fn connect(&self) -> Result<Box<dyn Stream>> {
        let stream = self.within("connect", TcpStream::connect(&self.address)).await?;
        match &self.encryption {
            Encryption::None => Ok(Box::new(stream)),
            Encryption::Tls(connector, name) => {
                let tls = self.within("make an encrypted connection", connector.connect(name.clone(), stream)).await?;
                Ok(Box::new(tls))
            }
        }
    }

    async fn send(&self, stream: &mut Box<dyn Stream>, message: &[u8]) -> Result<()> {
        let sent = async {
            stream.write_all(message).await?;
            stream.flush().await
        };
        self.within("send", sent).await
    }

    async fn within<T>(&self, doing: &str, work: impl Future<Output = std::io::Result<T>>) -> Result<T> {
        let why = match timeout(PATIENCE, work).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => words(&error as &(dyn StdError + 'static)).unwrap_or("a connection that broke"),
            Err(_) => "no answer in time",
        };
        let text = format!("cannot {doing} to the syslog receiver {}: {why}", self.address);
        Err(Error::new(ErrorKind::Audit, text))
    }
}

#[async_trait]
impl AuditSink for SyslogAudit {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        let message = framed(record, &self.host, std::process::id())?;
        let mut session = self.session.lock().await;
        // It is put back only if it can be used again.
        if let Some(mut stream) = session.take()
            && is_open(&mut stream).await
            && self.send(&mut stream, &message).await.is_ok()
        {
            *session = Some(stream);
            return Ok(());
        }
        let mut stream = self.connect().await?;
        self.send(&mut stream, &message).await?;
        *session = Some(stream);
        Ok(())
    }

    fn acknowledges(&self) -> bool {
        false
    }
}

/// Whether the receiver has not ended the connection, as far as is known here: what is written to one that has is lost without a word.
async fn is_open(stream: &mut Box<dyn Stream>) -> bool {
    let mut byte = [0];
    match timeout(Duration::ZERO, stream.read(&mut byte)).await {
        // It has nothing to say, as it should.
        Err(_) => true,
        Ok(read) => read.is_ok_and(|length| length > 0),
    }
}
