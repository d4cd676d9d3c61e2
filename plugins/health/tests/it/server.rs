//! A server on a port of this machine that does what the test says, over TLS if wanted.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use swarmsecrets_testkit::conformance::health_probe::Condition;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What a broken server shouts.
pub(crate) const VALUE: &str = "made-up-value-of-the-server";

/// The answer to a request, from its path.
pub(crate) type Answers = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// An answer of HTTP.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} Made Up\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}", body.len())
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    tls: Option<TlsAcceptor>,
    running: Mutex<Option<JoinHandle<()>>>,
}

/// An authority of the test's own.
pub(crate) fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate of this authority for `localhost`.
pub(crate) fn issued(authority: &CertifiedIssuer<'static, KeyPair>) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

impl Server {
    /// A server that gives these answers.
    pub(crate) async fn start(tls: Option<TlsAcceptor>, answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), tls, running: Mutex::default() };
        server.run(listener, Does::Answer(answers));
        server
    }

    /// A server that answers every path alike.
    pub(crate) async fn saying(answer: String) -> Self {
        Self::start(None, Arc::new(move |_| answer.clone())).await
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    fn run(&self, listener: TcpListener, does: Does) {
        let tls = self.tls.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, tls.clone(), does.clone()));
            }
        });
        *self.running.lock().unwrap() = Some(task);
    }

    /// Does otherwise from now on, on the same port.
    pub(crate) async fn set(&self, condition: Condition) {
        let task = self.running.lock().unwrap().take();
        if let Some(task) = task {
            task.abort();
            assert!(task.await.is_err());
        }
        let does = match condition {
            Condition::Unreachable => return,
            Condition::Silent => Does::Nothing,
            Condition::Broken => Does::Shout,
            Condition::Working => Does::Answer(Arc::new(|_| answer(200, "", "all is ok"))),
        };
        self.run(TcpListener::bind(self.address).await.unwrap(), does);
    }
}

#[derive(Clone)]
enum Does {
    Answer(Answers),
    /// Refuses with a value in its words, and hangs up before it was asked if it speaks no HTTP.
    Shout,
    Nothing,
}

async fn serve(stream: tokio::net::TcpStream, tls: Option<TlsAcceptor>, does: Does) {
    match (tls, &does) {
        (_, Does::Nothing) => {
            let _kept = stream;
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        (None, _) => speak(stream, does).await,
        (Some(tls), _) => {
            if let Ok(stream) = tls.accept(stream).await {
                speak(stream, does).await;
            }
        }
    }
}

async fn speak(mut stream: impl AsyncRead + AsyncWrite + Unpin, does: Does) {
    let mut request = Vec::new();
    let wait = if matches!(does, Does::Shout) { 100 } else { 5_000 };
    while !request.ends_with(b"\r\n\r\n") {
        match tokio::time::timeout(Duration::from_millis(wait), stream.read_u8()).await {
            Ok(Ok(byte)) => request.push(byte),
            // Who asks nothing within that time is hung up on.
            _ => return,
        }
    }
    let path = String::from_utf8(request).unwrap().split(' ').nth(1).unwrap().to_owned();
    let answer = match does {
        Does::Answer(answers) => answers(&path),
        _ => answer(500, &format!("X-Value: {VALUE}\r\n"), VALUE),
    };
    stream.write_all(answer.as_bytes()).await.ok();
    stream.shutdown().await.ok();
}
