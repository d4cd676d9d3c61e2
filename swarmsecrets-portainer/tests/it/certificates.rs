//! TLS: whose certificates are believed.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use swarmsecrets_core::transport::Transport;
use swarmsecrets_core::{Error, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::server::{Answer, Server};
use crate::{builder, change, look, permit};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

async fn serve(certificate: CertificateDer<'static>, key: KeyPair) -> Server {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Server::tls(TlsAcceptor::from(Arc::new(config)), Answer::ok("[7]")).await
}

/// A server with a certificate of this authority for `localhost`.
async fn issued(authority: &CertifiedIssuer<'static, KeyPair>) -> Server {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, authority).unwrap();
    serve(certificate.der().clone(), key).await
}

async fn read(host: &str, server: &Server, ca: &str) -> Result<bytes::Bytes, Error> {
    let url = format!("https://{host}:{}", server.address.port());
    let portainer = builder(&url).ca_certificate(ca.as_bytes()).build()?;
    assert!(!portainer.insecure());
    let answer = portainer.read(&look()).await;
    assert_eq!(portainer.requests_sent(), u64::from(answer.is_ok()));
    answer.map(|a| a.body)
}

fn untrusted(error: &Error, server: &Server) {
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.message().contains("give that as the CA certificate"), "{error}");
    assert_eq!((server.connections(), server.requests().len()), (1, 0), "it is not tried again, and nothing was sent");
}

#[tokio::test]
async fn a_private_authority_is_believed_once_it_is_given() {
    let authority = authority();
    let server = issued(&authority).await;
    assert_eq!(read("localhost", &server, &authority.pem()).await.unwrap(), b"[7]"[..]);
}

#[tokio::test]
async fn of_a_bundle_every_authority_is_believed() {
    let (one, two) = (authority(), authority());
    let bundle = format!("# ours\n{}\n{}", one.pem(), two.pem());
    for authority in [one, two] {
        assert!(read("localhost", &issued(&authority).await, &bundle).await.is_ok());
    }
}

#[tokio::test]
async fn another_authority_or_another_host_is_not_believed() {
    let (ours, theirs) = (authority(), authority());
    let server = issued(&theirs).await;
    untrusted(&read("localhost", &server, &ours.pem()).await.unwrap_err(), &server);
    let server = issued(&ours).await;
    untrusted(&read("127.0.0.1", &server, &ours.pem()).await.unwrap_err(), &server);
}

#[tokio::test]
async fn a_certificate_of_its_own_is_believed_once_it_is_given() {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let pem = own.cert.pem();
    let server = serve(own.cert.der().clone(), own.signing_key).await;
    assert_eq!(read("localhost", &server, &pem).await.unwrap(), b"[7]"[..]);
}

/// What a web server in the clear does when it is greeted in TLS.
async fn plain() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await.ok();
            stream.read_to_end(&mut Vec::new()).await.ok();
        }
    });
    port
}

#[tokio::test]
async fn the_wrong_scheme_is_said() {
    let authority = authority();
    let url = format!("https://localhost:{}", plain().await);
    let portainer = builder(&url).ca_certificate(authority.pem().as_bytes()).build().unwrap();
    let error = portainer.write(change(), permit()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.message().contains("check that the port speaks https"), "{error}");

    let secured = issued(&authority).await;
    let portainer = builder(&secured.url()).retries(0).build().unwrap();
    assert_eq!(portainer.write(change(), permit()).await.unwrap_err().kind(), ErrorKind::Protocol);
    assert_eq!(secured.requests().len(), 0);
}

#[tokio::test]
async fn a_handshake_that_hangs_is_given_up_and_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let portainer = builder(&url).ca_certificate(authority().pem().as_bytes()).timeout(Duration::from_millis(400));
    let portainer = portainer.build().unwrap();
    let error = portainer.write(change(), permit()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert_eq!(portainer.requests_sent(), 0);
}
