//! The probe over TCP, with TLS if wanted.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use swarmsecrets_core::exec::Exec;
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, Target};
use swarmsecrets_core::{Error, ErrorKind, Result, ids};
use swarmsecrets_tls::{Trust, config, words};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// A port that Swarm publishes takes connections although nobody answers behind it, and closes them at once.
const AT_ONCE: Duration = Duration::from_millis(300);

const NO_WAY: &str = "no connection: the name is not known, or there is no way there";

/// Connects, and looks whether the connection stays.
///
/// - Healthy: it is taken, TLS is agreed on if asked for, and it is not closed within 300 ms.
/// - Unhealthy: anything else; it was so when the baseline was taken, from the same place.
pub struct TcpProbe {
    name: String,
    address: String,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    deadline: Duration,
}

impl TcpProbe {
    /// A probe of this address, as `host:port` or `[::1]:port`.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] if it is none.
    pub fn new(address: &str) -> Result<Self> {
        let port =
            address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, p)| p.parse::<u16>().ok());
        let odd = |c: char| c.is_whitespace() || ids::is_unprintable(c) || matches!(c, '/' | '@');
        if port.is_none_or(|port| port == 0) || address.len() > 290 || address.contains(odd) {
            return Err(settings("the address is none: give it like `db.example.org:5432`"));
        }
        let name = format!("tcp {address}");
        Ok(Self { name, address: address.to_owned(), tls: None, deadline: Duration::from_secs(5) })
    }

    /// The same probe, which agrees on TLS too, for the host of its address.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] if the authorities cannot be used, or the host can have no certificate.
    pub fn tls(mut self, trust: &Trust) -> Result<Self> {
        let host =
            self.address.rsplit_once(':').map_or("", |(host, _)| host).trim_start_matches('[').trim_end_matches(']');
        let host = ServerName::try_from(host.to_owned())
            .map_err(|_| settings("the host of the address is no name that stands in a certificate"))?;
        self.tls = Some((Arc::new(config(trust)?), host));
        self.name = format!("tls {}", self.address);
        Ok(self)
    }

    /// How long a look may take: 5 seconds if not set.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Looks once. What is wrong is said without a word of what came.
    async fn look(&self) -> Result<(), String> {
        match timeout(self.deadline, self.connect()).await {
            Err(_) => Err(format!("no connection within {} ms", self.deadline.as_millis())),
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(words(&error).unwrap_or(NO_WAY).into()),
        }
    }

    async fn connect(&self) -> io::Result<()> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let closed = match &self.tls {
            None => closes(stream.read_u8()).await,
            Some((config, host)) => {
                let connector = TlsConnector::from(config.clone());
                let mut stream = connector.connect(host.clone(), stream).await?;
                closes(stream.read_u8()).await
            }
        };
        if closed { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// Whether the other side closes at once. That it says something, or nothing, is as good.
async fn closes(first: impl Future<Output = io::Result<u8>>) -> bool {
    matches!(timeout(AT_ONCE, first).await, Ok(Err(_)))
}

fn settings(why: &str) -> Error {
    Error::new(ErrorKind::Settings, format!("cannot set up a TCP probe: {why}"))
}

#[async_trait]
impl HealthProbe for TcpProbe {
    fn name(&self) -> &str {
        &self.name
    }

    async fn baseline(&self, _: &Target, _: &dyn Exec) -> Result<Baseline> {
        match self.look().await {
            Ok(()) => Ok(Baseline::none()),
            Err(wrong) => {
                let text = format!("{}: even before anything is changed there is {wrong}", self.name);
                Err(Error::new(ErrorKind::Refused, text))
            }
        }
    }

    async fn check(&self, _: &Target, _: &Baseline, _: &dyn Exec) -> Health {
        match self.look().await {
            Ok(()) => Health::Healthy,
            Err(wrong) => Health::unhealthy(format!("{}: there is {wrong}", self.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for bad in ["db", "db:", ":5432", "db:0", "db:99999", "me@db:5432", "tcp://db:5432", "d b:1", ""] {
            assert_eq!(TcpProbe::new(bad).err().map(|e| e.kind()), Some(ErrorKind::Settings), "{bad}");
        }
        assert_eq!(TcpProbe::new("[::1]:5432").unwrap().name(), "tcp [::1]:5432");
    }
}
