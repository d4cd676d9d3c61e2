//! The proxy. Each request takes a connection of its own to what stands behind, and is carried on by a task of its own: a client
//! that gives up takes nothing back. Answers are read whole before they are passed on.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{Mishap, Point, What};
use crate::portainer::WireFault;

/// Largest body that is read, as the gateway's.
const LARGEST_BODY: usize = 16 << 20;

type Carried = Result<Response<Body>, Broken>;

/// The connection breaks off without an answer.
#[derive(Clone, Copy, Debug)]
struct Broken;

/// An HTTP proxy that plays mishaps. It ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    way: Arc<Way>,
    task: JoinHandle<()>,
}

/// What all requests share.
#[derive(Debug)]
struct Way {
    to: SocketAddr,
    armed: Mutex<Armed>,
    crashed: AtomicBool,
    /// Requests that still have to arrive or to be answered.
    under_way: AtomicUsize,
}

/// What is to go wrong, and how far it is.
#[derive(Debug, Default)]
struct Armed {
    mishaps: Vec<Mishap>,
    counts: BTreeMap<Point, u64>,
    again: Option<(Point, WireFault, u32)>,
    met: Vec<(What, String)>,
}

impl Proxy {
    /// Listens on a port of its own at 127.0.0.1 and passes requests on to an address. Needs a Tokio runtime with I/O and time.
    ///
    /// # Errors
    /// If no port is to be had.
    pub async fn start(to: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let way = Way { to, armed: Mutex::default(), crashed: AtomicBool::new(false), under_way: AtomicUsize::new(0) };
        let way = Arc::new(way);
        let router = Router::new().fallback(pass).with_state(way.clone());
        let task = tokio::spawn(async move {
            // It ends when it is aborted; before that it takes what comes.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, way, task })
    }

    /// Where it listens, as `http://127.0.0.1:9000`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets the requests from now on, counted anew, meet these mishaps and no others. Those at a [`Point::Journal`] are not the
    /// proxy's.
    pub fn arm(&self, mishaps: Vec<Mishap>) {
        *self.way.armed() = Armed { mishaps, ..Armed::default() };
        self.way.crashed.store(false, Ordering::SeqCst);
    }

    /// Whether the process is to die now: its request stands still until it does.
    #[must_use]
    pub fn crashed(&self) -> bool {
        self.way.crashed.load(Ordering::SeqCst)
    }

    /// Whether requests are still under way, those that arrive late included.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.way.under_way.load(Ordering::SeqCst) > 0
    }

    /// What went wrong since [`Proxy::arm`], each with the request that met it.
    #[must_use]
    pub fn met(&self) -> Vec<(What, String)> {
        self.way.armed().met.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Way {
    fn armed(&self) -> MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request has come to a point. Says what it meets there.
    fn reach(&self, at: Point, what: &str) -> Option<What> {
        let mut armed = self.armed();
        let count = armed.counts.entry(at).or_default();
        *count += 1;
        let nth = *count - 1;
        let met = match armed.again.take() {
            Some((point, fault, left)) if left > 0 => {
                armed.again = Some((point, fault.clone(), left - u32::from(point == at)));
                (point == at).then_some(What::Wire { fault, times: 1 })
            }
            _ => None,
        };
        let drawn = || armed.mishaps.iter().find(|mishap| mishap.at == at && mishap.nth == nth).map(|m| m.what.clone());
        let met = met.or_else(drawn)?;
        if let What::Wire { fault, times } = &met
            && *times > 1
        {
            armed.again = Some((at, fault.clone(), times - 1));
        }
        armed.met.push((met.clone(), what.to_owned()));
        Some(met)
    }

    /// Stands still until the process is gone.
    async fn die(&self) -> Carried {
        self.crashed.store(true, Ordering::SeqCst);
        std::future::pending().await
    }
}

async fn pass(State(way): State<Arc<Way>>, request: Request) -> Response<Body> {
    let carried = match Parcel::of(request).await {
        Ok(parcel) => carry(&way, parcel).await,
        Err(broken) => Err(broken),
    };
    carried.unwrap_or_else(|Broken| {
        // Ending the connection's task without an answer breaks it off.
        std::panic::resume_unwind(Box::new("no answer"))
    })
}

async fn carry(way: &Arc<Way>, parcel: Parcel) -> Carried {
    let write = parcel.head.method != Method::GET;
    let what = format!("{} {}", parcel.head.method, parcel.head.uri.path());
    let at = if write { Point::Write } else { Point::Read };
    let met = way.reach(at, &what);
    let arrives =
        !matches!(met, Some(What::Late(_) | What::Wire { fault: WireFault::Unreachable | WireFault::Answer(..), .. }));
    let answer = match met {
        None => deliver(way, parcel, Duration::ZERO).await,
        Some(What::Crash { .. }) => way.die().await,
        Some(What::Late(after)) => {
            // It goes on by itself.
            drop(deliver(way, parcel, after));
            Err(Broken)
        }
        Some(What::Twice) => {
            deliver(way, parcel.clone(), Duration::ZERO).await?;
            deliver(way, parcel, Duration::ZERO).await
        }
        Some(What::Wire { fault, .. }) => meet(way, parcel, fault).await,
    };
    if write && arrives && matches!(way.reach(Point::Answer, &what), Some(What::Crash { .. })) {
        return way.die().await;
    }
    answer
}

async fn meet(way: &Arc<Way>, parcel: Parcel, fault: WireFault) -> Carried {
    match fault {
        WireFault::Unreachable => Err(Broken),
        WireFault::LoseAnswer => deliver(way, parcel, Duration::ZERO).await.and(Err(Broken)),
        WireFault::Delay(time) => deliver(way, parcel, time).await,
        WireFault::Answer(status, words) => in_place(status, words),
        WireFault::Mask(status, words) => {
            deliver(way, parcel, Duration::ZERO).await.and_then(|_| in_place(status, words))
        }
    }
}

fn in_place(status: u16, words: String) -> Carried {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(words.into())
        .map_err(|_| Broken)
}

/// Lets a request arrive after a time, whether or not anybody waits for the answer.
fn deliver(way: &Arc<Way>, parcel: Parcel, after: Duration) -> impl Future<Output = Carried> + use<> {
    let way = Arc::clone(way);
    way.under_way.fetch_add(1, Ordering::SeqCst);
    let arriving = tokio::spawn(async move {
        tokio::time::sleep(after).await;
        let answer = parcel.send(way.to).await;
        way.under_way.fetch_sub(1, Ordering::SeqCst);
        answer
    });
    async { arriving.await.unwrap_or(Err(Broken)) }
}

/// A request that can be sent more than once.
#[derive(Clone)]
struct Parcel {
    head: axum::http::request::Parts,
    body: Bytes,
}

impl Parcel {
    async fn of(request: Request) -> Result<Self, Broken> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, LARGEST_BODY).await.map_err(|_| Broken)?;
        Ok(Self { head, body })
    }

    async fn send(self, to: SocketAddr) -> Carried {
        self.exchange(to).await.map_err(|_| Broken)
    }

    async fn exchange(self, to: SocketAddr) -> Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(to).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // It carries the bytes until the answer has been read, and then ends; its failure is the answer's, too.
        tokio::spawn(connection);
        let answer = sender.send_request(Request::from_parts(self.head, Full::new(self.body))).await?;
        let (mut head, body) = answer.into_parts();
        // It is whole from here on.
        head.headers.remove(header::TRANSFER_ENCODING);
        Ok(Response::from_parts(head, Body::from(body.collect().await?.to_bytes())))
    }
}
