//! TLS for one probe: rustls with ring, nothing installed for the whole process.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use swarmsecrets_core::{Error, ErrorKind, Result};

/// Whose certificates a probe believes. The check cannot be switched off.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those of the authorities that the system believes.
    System,
    /// Those of these authorities (PEM) and no others.
    Only(Vec<u8>),
}

/// The TLS settings of a client.
///
/// # Errors
/// [`ErrorKind::Settings`] if the system has no authorities, or those that are given are none.
pub fn config(trust: &Trust) -> Result<ClientConfig> {
    let failed = |why: &str| Error::new(ErrorKind::Settings, why.to_owned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| failed("TLS cannot be set up").with_source(e))?;
    let builder = match trust {
        Trust::System => {
            let verifier = Verifier::new(provider).map_err(|e| {
                failed("this system has no certificate authorities: install its `ca-certificates`, or give a CA certificate")
                    .with_source(e)
            })?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
        Trust::Only(pem) => builder.with_root_certificates(authorities(pem)?),
    };
    Ok(builder.with_no_client_auth())
}

fn authorities(pem: &[u8]) -> Result<RootCertStore> {
    let bad = |why: &str| Error::new(ErrorKind::Settings, format!("the CA certificate {why}"));
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| bad("is not well-formed PEM"))?;
        store.add(certificate).map_err(|e| bad("cannot be used as an authority").with_source(e))?;
    }
    match store.is_empty() {
        true => Err(bad("holds none: give it as PEM, with `-----BEGIN CERTIFICATE-----`")),
        false => Ok(store),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_none_is_refused() {
        for bad in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert_eq!(config(&Trust::Only(bad.into())).unwrap_err().kind(), ErrorKind::Settings, "{bad:?}");
        }
    }
}
