//! TLS for one client: rustls with ring, nothing installed for the whole process.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use swarmsecrets_core::{Error, ErrorKind, Result};

/// Whose certificates are believed.
pub(crate) enum Trust {
    /// Those that the system believes.
    System,
    /// Those that the system believes, if it has any: for a Portainer in the clear, which only an encrypted proxy asks for.
    SystemIfAny,
    /// Those of these authorities (PEM) and no others.
    Only(Vec<u8>),
}

/// The TLS settings of a client.
pub(crate) fn config(trust: &Trust) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::new(ErrorKind::Settings, "TLS cannot be set up").with_source(e))?;
    let builder = match trust {
        Trust::System => builder.dangerous().with_custom_certificate_verifier(Arc::new(system(provider)?)),
        Trust::SystemIfAny => match system(provider) {
            Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
            Err(_) => builder.with_root_certificates(RootCertStore::empty()),
        },
        Trust::Only(pem) => builder.with_root_certificates(authorities(pem)?),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn system(provider: Arc<CryptoProvider>) -> Result<Verifier> {
    Verifier::new(provider).map_err(|e| {
        Error::new(
            ErrorKind::Settings,
            "this system has no certificate authorities: install its `ca-certificates`, or give the certificate of \
             Portainer's authority",
        )
        .with_source(e)
    })
}

fn authorities(pem: &[u8]) -> Result<RootCertStore> {
    let bad = |why: &str| Error::new(ErrorKind::Settings, format!("the CA certificate {why}"));
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| bad("is not well-formed PEM"))?;
        store.add(certificate).map_err(|e| bad("cannot be used as an authority").with_source(e))?;
    }
    if store.is_empty() {
        return Err(bad("holds none: give it as PEM, with `-----BEGIN CERTIFICATE-----`"));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_that_is_none_is_refused() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let torn = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        let key = "-----BEGIN PRIVATE KEY-----\nbWFkZS11cA==\n-----END PRIVATE KEY-----\n";
        for bad in ["", "hello", broken, torn, key] {
            let error = config(&Trust::Only(bad.into())).err().unwrap_or_else(|| panic!("{bad:?} was taken"));
            assert_eq!(error.kind(), ErrorKind::Settings, "{bad:?}");
            assert!(!format!("{error:?}").contains("bWFkZS11cA"), "{error:?}");
        }
    }
}
