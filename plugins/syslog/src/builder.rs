//! The settings of a sink, and what is wrong with them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_tls::{Trust, config, config_with_identity};
use tokio_rustls::TlsConnector;

use crate::sink::{Encryption, SyslogAudit};

/// Collects the settings of a [`SyslogAudit`]; [`Builder::build`] checks them.
pub struct Builder {
    address: String,
    trust: Trust,
    identity: Option<(Vec<u8>, SecretValue)>,
    unencrypted: bool,
}

impl Builder {
    pub(crate) fn at(address: &str) -> Self {
        Self { address: address.to_owned(), trust: Trust::System, identity: None, unencrypted: false }
    }

    /// Believes certificates of this authority **only** (PEM, one or several).
    #[must_use]
    pub fn ca_certificate(self, pem: &[u8]) -> Self {
        Self { trust: Trust::Only(pem.to_vec()), ..self }
    }

    /// Shows the server this certificate, with those between it and its authority, and proves it with its key (both PEM).
    #[must_use]
    pub fn client_certificate(self, pem: &[u8], key: SecretValue) -> Self {
        Self { identity: Some((pem.to_vec(), key)), ..self }
    }

    /// Sends without encryption, to a receiver on this machine: no other one is taken then.
    #[must_use]
    pub fn unencrypted(self) -> Self {
        Self { unencrypted: true, ..self }
    }

    /// Checks the settings and makes the sink. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying which setting is wrong, and showing no key.
    pub fn build(self) -> Result<SyslogAudit> {
        let form = || settings("the address is none: give it like `siem.example.org:6514`");
        let (host, port) = self.address.rsplit_once(':').ok_or_else(form)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(form());
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| form())?;
        let encryption = if self.unencrypted {
            // By its number: what a name means is said by others.
            let near = self.address.parse::<SocketAddr>().is_ok_and(|at| at.ip().is_loopback());
            if !near || host.parse::<IpAddr>().is_err() {
                return Err(settings("without encryption only this machine is sent to: give it like `127.0.0.1:601`"));
            }
            if self.identity.is_some() {
                return Err(settings("a client certificate is of no use without encryption: leave one of them out"));
            }
            Encryption::None
        } else {
            let config = match &self.identity {
                None => config(&self.trust)?,
                Some((certificates, key)) => config_with_identity(&self.trust, certificates, key)?,
            };
            Encryption::Tls(TlsConnector::from(Arc::new(config)), name)
        };
        Ok(SyslogAudit::new(self.address, encryption))
    }
}

fn settings(why: &str) -> Error {
    Error::new(ErrorKind::Settings, format!("cannot set up an audit sink for syslog: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked() {
        let key = || SecretValue::credential(b"made-up".to_vec());
        for (builder, part) in [
            (Builder::at("siem.example.org"), "the address is none"),
            (Builder::at("siem.example.org:0"), "the address is none"),
            (Builder::at(":6514"), "the address is none"),
            (Builder::at("a b:6514"), "the address is none"),
            (Builder::at("siem.example.org:601").unencrypted(), "only this machine"),
            (Builder::at("localhost:601").unencrypted(), "only this machine"),
            (Builder::at("192.0.2.1:601").unencrypted(), "only this machine"),
            (Builder::at("127.0.0.1:601").unencrypted().client_certificate(b"", key()), "of no use"),
            (Builder::at("siem:6514").ca_certificate(b"none"), "CA certificate"),
        ] {
            let error = builder.build().err().unwrap_or_else(|| panic!("{part}: it is taken"));
            assert!(error.kind() == ErrorKind::Settings && error.message().contains(part), "{error}");
        }
        for good in ["127.0.0.1:601", "[::1]:601"] {
            assert!(Builder::at(good).unencrypted().build().is_ok(), "{good}");
        }
    }
}
