//! A receiver of syslog: reads a length, a space, and that many bytes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use swarmsecrets_core::audit::AuditRecord;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// What a receiver asks of who connects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    Nothing,
    ForACertificate,
}

/// An authority of the test's own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn make() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, and its key.
    pub(crate) fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.into()]).unwrap().signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn acceptor(&self, asks: Asks) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let builder = match asks {
            Asks::Nothing => builder.with_no_client_auth(),
            Asks::ForACertificate => {
                let mut roots = RootCertStore::empty();
                roots.add(self.0.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()))
    }
}

/// It ends with the test's runtime.
pub(crate) struct Receiver {
    at: SocketAddr,
    messages: Arc<Mutex<Vec<String>>>,
    hang_up: watch::Sender<u32>,
    open: Arc<Mutex<usize>>,
}

impl Receiver {
    pub(crate) async fn start(authority: Option<&Authority>, asks: Asks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, messages, open) = (listener.local_addr().unwrap(), Arc::default(), Arc::default());
        let (hang_up, told) = watch::channel(0);
        let receiver = Self { at, messages: Arc::clone(&messages), hang_up, open: Arc::clone(&open) };
        let tls = authority.map(|authority| authority.acceptor(asks));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, mut told, messages, open) =
                    (tls.clone(), told.clone(), Arc::clone(&messages), Arc::clone(&open));
                told.mark_unchanged();
                tokio::spawn(async move {
                    *open.lock().unwrap() += 1;
                    tokio::select! {
                        () = async {
                            match tls {
                                None => read(stream, &messages).await,
                                Some(tls) => {
                                    let Ok(stream) = tls.accept(stream).await else { return };
                                    read(stream, &messages).await;
                                }
                            }
                        } => {}
                        _ = told.changed() => {}
                    }
                    *open.lock().unwrap() -= 1;
                });
            }
        });
        receiver
    }

    pub(crate) fn address(&self) -> String {
        format!("localhost:{}", self.at.port())
    }

    pub(crate) fn address_by_number(&self) -> String {
        self.at.to_string()
    }

    /// Ends all connections, and returns when they have ended.
    pub(crate) async fn hang_up(&self) {
        self.hang_up.send_modify(|times| *times += 1);
        while *self.open.lock().unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What arrived, once it is so many messages.
    pub(crate) fn messages(&self, count: usize) -> Vec<String> {
        loop {
            let there = self.messages.lock().unwrap().clone();
            if there.len() >= count {
                return there;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The records in them.
    pub(crate) fn records(&self, count: usize) -> Vec<AuditRecord> {
        let json = |text: &String| serde_json::from_str(text.split_once('\u{feff}').unwrap().1).unwrap();
        self.messages(count).iter().map(json).collect()
    }
}

async fn read(mut stream: impl AsyncRead + Unpin, messages: &Mutex<Vec<String>>) {
    loop {
        let mut length = String::new();
        loop {
            match stream.read_u8().await {
                Err(_) => return,
                Ok(b' ') => break,
                Ok(digit) => length.push(char::from(digit)),
            }
        }
        let mut message = vec![0; length.parse().unwrap_or_else(|_| panic!("{length:?} is no length"))];
        if stream.read_exact(&mut message).await.is_err() {
            return;
        }
        messages.lock().unwrap().push(String::from_utf8(message).unwrap());
    }
}
