//! Encrypted connections, set up for this client alone: nothing is installed for the whole process.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use swarmsecrets_core::{Error, ErrorKind, Result};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What a server's certificate is checked against.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// The system's authorities, and this one.
    pub(crate) fn trusting(authority: Option<&[u8]>) -> Result<Self> {
        let bad = |why: String| Error::new(ErrorKind::Settings, format!("encryption cannot be set up: {why}"));
        let mut roots = RootCertStore::empty();
        // Some certificates of a system may be unreadable; what they signed is then not trusted.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(pem) = authority {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|e| bad(format!("the authority is not PEM: {e}")))?;
                roots.add(certificate).map_err(|e| bad(format!("the authority's certificate is bad: {e}")))?;
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| bad(e.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Encrypts a connection to this host.
    pub(crate) async fn encrypt(&self, host: &str, tcp: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host).to_owned();
        let name = ServerName::try_from(bare).map_err(std::io::Error::other)?;
        TlsConnector::from(self.0.clone()).connect(name, tcp).await
    }
}
