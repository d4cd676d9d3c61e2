//! A server that does exactly what a test says, byte for byte, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What follows the bytes of an answer.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// The next request on the same connection.
    Next,
    /// The end of the connection.
    Close,
    /// Silence.
    Silence,
    /// The same bytes again and again: `10` is a chunk of sixteen.
    Endless,
}

/// An answer, byte for byte.
#[derive(Clone)]
pub(crate) struct Answer(pub(crate) Vec<u8>, pub(crate) End);

impl Answer {
    /// A whole answer with a length.
    pub(crate) fn of(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Made Up\r\nContent-Length: {length}\r\n{headers}\r\n");
        Self([head.as_bytes(), body.as_bytes()].concat(), End::Next)
    }

    pub(crate) fn ok(body: &str) -> Self {
        Self::of(200, "Content-Type: application/json\r\n", body)
    }

    pub(crate) fn raw(bytes: &str, end: End) -> Self {
        Self(bytes.into(), end)
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

type Script = Arc<dyn Fn(usize) -> Answer + Send + Sync>;

impl Server {
    /// Answers request number n, from 0, with what `script` gives.
    pub(crate) async fn start(script: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(script), None).await
    }

    /// Answers every request alike.
    pub(crate) async fn always(answer: Answer) -> Self {
        Self::start(move |_| answer.clone()).await
    }

    /// The same over TLS.
    pub(crate) async fn tls(acceptor: TlsAcceptor, answer: Answer) -> Self {
        Self::listen(Arc::new(move |_| answer.clone()), Some(acceptor)).await
    }

    async fn listen(script: Script, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Self { address: listener.local_addr().unwrap(), connections: Arc::default(), requests: Arc::default() };
        let (connections, requests) = (server.connections.clone(), server.requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (script, requests, tls) = (script.clone(), requests.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &script, &requests).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &script, &requests).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: &Script,
    requests: &Mutex<Vec<String>>,
) -> Option<()> {
    loop {
        let request = request(&mut stream).await?;
        let number = {
            let mut requests = requests.lock().unwrap();
            requests.push(request);
            requests.len() - 1
        };
        let Answer(bytes, end) = script(number);
        stream.write_all(&bytes).await.ok()?;
        stream.flush().await.ok()?;
        match end {
            End::Next => {}
            End::Close => return stream.shutdown().await.ok(),
            End::Silence => std::future::pending().await,
            End::Endless => loop {
                stream.write_all(b"10\r\n0123456789abcdef\r\n").await.ok()?;
            },
        }
    }
}

async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(bytes).ok()?;
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(head + &String::from_utf8(body).ok()?)
}

/// A URL at which nobody listens.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
