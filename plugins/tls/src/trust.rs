//! Whose certificates a client believes.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use rustls_platform_verifier::Verifier;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

/// Whose certificates a client believes. The check cannot be switched off.
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
/// [`ErrorKind::Settings`] if the system has no authorities, or if those that are given cannot be read.
pub fn config(trust: &Trust) -> Result<ClientConfig> {
    Ok(believing(trust)?.with_no_client_auth())
}

/// As [`config`], for a client that shows a certificate of its own (PEM, with those between it and its authority), and has its key (PEM).
///
/// # Errors
/// As [`config`], and if the certificate or the key cannot be read, or do not belong together. Nothing of the key is shown.
pub fn config_with_identity(trust: &Trust, certificates: &[u8], key: &SecretValue) -> Result<ClientConfig> {
    let bad = |why: &str| Error::new(ErrorKind::Settings, format!("the client certificate {why}"));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<_, _>>()
        .map_err(|_| bad("is not well-formed PEM"))?;
    if chain.is_empty() {
        return Err(bad("holds none: give it as PEM, with `-----BEGIN CERTIFICATE-----`"));
    }
    let key = PrivateKeyDer::from_pem_slice(key.expose())
        .map_err(|_| bad("has a key that cannot be read: give it as PEM"))?;
    believing(trust)?.with_client_auth_cert(chain, key).map_err(|_| bad("and its key do not belong together"))
}

fn believing(trust: &Trust) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
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
    Ok(builder)
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
