//! The rules over HTTP.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use http_body::Frame;
use percent_encoding::percent_decode_str;
use swarmsecrets_core::transport::SIMULATED_HEADER;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::engine::Pieces;
use crate::portainer::{self, Portainer, PortainerRequest, PortainerResponse};

/// Largest body that is read: the largest value in base64, a large stack file, and room to spare.
const LARGEST_BODY: usize = 16 << 20;

/// A server at work. It ends when this is dropped or stopped.
pub struct Serving {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
    beside: Option<JoinHandle<()>>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(task) = &self.beside {
            task.abort();
        }
    }
}

impl Serving {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as `http://127.0.0.1:9000`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same server, with a task that ends when it does.
    pub(super) fn beside(mut self, task: JoinHandle<()>) -> Self {
        self.beside = Some(task);
        self
    }

    /// Takes no more connections, waits a second for those that are open, and ends.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if tokio::time::timeout(Duration::from_secs(1), &mut self.task).await.is_err() {
            self.task.abort();
        }
    }

    /// Serves until the server fails or is stopped from elsewhere.
    ///
    /// # Errors
    /// What made the server fail.
    pub async fn wait(mut self) -> io::Result<()> {
        (&mut self.task).await.map_err(io::Error::other)?
    }
}

/// Serves Portainer's API on a socket that listens already. Needs a Tokio runtime with I/O and time.
///
/// # Errors
/// If the socket does not say where it listens.
pub async fn serve(portainer: Arc<Portainer>, listener: TcpListener) -> io::Result<Serving> {
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let router = Router::new().fallback(answer).with_state(portainer);
    let server = axum::serve(listener, router).with_graceful_shutdown(async {
        // Sent or dropped, it means the same.
        let _ = stopped.await;
    });
    let task = tokio::spawn(async { server.await });
    Ok(Serving { address, stop: Some(stop), task, beside: None })
}

async fn answer(State(portainer): State<Arc<Portainer>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return status_only(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let headers = head.headers.iter().filter_map(|(k, v)| Some((k.as_str().to_owned(), v.to_str().ok()?.to_owned())));
    let request = PortainerRequest {
        method: head.method.as_str().to_owned(),
        path: percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned(),
        query: query(&head.uri),
        headers: headers.collect(),
        body: body.to_vec(),
    };
    let answer = portainer.answer(request).await;
    if answer.status == 0 {
        // A fault says that no answer comes: ending the connection's task without one breaks it off.
        std::panic::resume_unwind(Box::new("no answer"));
    }
    let mut response = respond(answer);
    if portainer.engine().simulated() {
        response.headers_mut().insert(SIMULATED_HEADER, HeaderValue::from_static("1"));
    }
    response
}

fn query(uri: &Uri) -> Vec<(String, String)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

fn respond(answer: PortainerResponse) -> Response<Body> {
    let mut response = Response::builder().status(answer.status).header("X-Content-Type-Options", "nosniff");
    if !answer.content_type.is_empty() {
        response = response.header(header::CONTENT_TYPE, answer.content_type);
    }
    if let Some(cookie) = answer.cookie {
        response = response.header(header::SET_COOKIE, cookie);
    }
    let body = match answer.body {
        portainer::Body::Whole(bytes) => Body::from(bytes),
        portainer::Body::Pieces(pieces) => Body::new(Pumped::new(pieces)),
    };
    response.body(body).unwrap_or_else(|_| status_only(StatusCode::INTERNAL_SERVER_ERROR))
}

fn status_only(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A body whose pieces a task of its own brings. When the client goes away, the task ends and the Engine's stream with it.
struct Pumped(mpsc::Receiver<Vec<u8>>);

impl Pumped {
    fn new(mut pieces: Box<dyn Pieces>) -> Self {
        let (into, out) = mpsc::channel(4);
        tokio::spawn(async move {
            loop {
                let piece = tokio::select! {
                    piece = pieces.next() => piece,
                    () = into.closed() => None,
                };
                let Some(piece) = piece else { break };
                if into.send(piece).await.is_err() {
                    break;
                }
            }
        });
        Self(out)
    }
}

impl http_body::Body for Pumped {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes.into()))))
    }
}
