//! The proxy that breaks what goes through it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use http_body::Frame;
use swarmsecrets_testkit::faults::{Mishap, Point, Proxy, What};
use swarmsecrets_testkit::portainer::WireFault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What stands behind: it counts what arrives.
struct Behind {
    arrived: Arc<AtomicU64>,
    proxy: Proxy,
}

async fn count(State(arrived): State<Arc<AtomicU64>>, body: String) -> Body {
    let words = format!("{} {body}", arrived.fetch_add(1, Ordering::SeqCst) + 1);
    Body::new(Unmeasured(Some(words.into())))
}

/// A body that does not say how long it is: it comes in chunks, as the Engine's do.
struct Unmeasured(Option<Bytes>);

impl http_body::Body for Unmeasured {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

impl Behind {
    async fn with(mishaps: &[(Point, u64, What)]) -> Self {
        let arrived = Arc::new(AtomicU64::new(0));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let router = Router::new().fallback(count).with_state(arrived.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        let proxy = Proxy::start(to).await.unwrap();
        let mishap = |(at, nth, what): &(Point, u64, What)| Mishap { run: 0, at: *at, nth: *nth, what: what.clone() };
        proxy.arm(mishaps.iter().map(mishap).collect());
        Self { arrived, proxy }
    }

    async fn wire(at: Point, fault: WireFault) -> Self {
        Self::with(&[(at, 0, What::Wire { fault, times: 1 })]).await
    }

    fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::SeqCst)
    }

    /// The status and body of the answer; none if the connection breaks off.
    async fn ask(&self, method: &str) -> Option<(u16, String)> {
        let url = self.proxy.url();
        let mut socket = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
        let request =
            format!("{method} /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().unwrap(), body.to_owned()))
    }

    async fn until_quiet(&self) {
        while self.proxy.is_busy() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn good(n: u64) -> Option<(u16, String)> {
    Some((200, format!("{n} body")))
}

#[tokio::test]
async fn without_a_mishap_it_passes_on() {
    let behind = Behind::with(&[]).await;
    assert_eq!(behind.ask("GET").await, good(1));
    assert_eq!(behind.ask("POST").await, good(2));
    assert!(behind.proxy.met().is_empty() && !behind.proxy.is_busy());
}

#[tokio::test]
async fn a_request_is_lost_or_its_answer_is() {
    for (fault, arrives) in [(WireFault::Unreachable, 0), (WireFault::LoseAnswer, 1)] {
        let behind = Behind::wire(Point::Write, fault).await;
        assert_eq!((behind.ask("POST").await, behind.arrived()), (None, arrives));
        assert_eq!(behind.ask("POST").await, good(arrives + 1));
        assert_eq!(behind.proxy.met().len(), 1);
    }
}

#[tokio::test]
async fn another_answers_before_or_after_it_is_carried_out() {
    for (fault, arrives) in [(WireFault::Answer(503, "no".into()), 0), (WireFault::Mask(503, "no".into()), 1)] {
        let behind = Behind::wire(Point::Read, fault).await;
        assert_eq!((behind.ask("GET").await, behind.arrived()), (Some((503, "no".into())), arrives));
    }
}

#[tokio::test]
async fn what_comes_late_comes_although_nobody_waits() {
    let time = Duration::from_millis(100);
    let behind = Behind::with(&[(Point::Write, 0, What::Late(time))]).await;
    assert_eq!((behind.ask("POST").await, behind.arrived(), behind.proxy.is_busy()), (None, 0, true));
    behind.until_quiet().await;
    assert_eq!(behind.arrived(), 1);

    let behind = Behind::wire(Point::Write, WireFault::Delay(time)).await;
    // The client goes away before the time is over.
    tokio::time::timeout(Duration::from_millis(20), behind.ask("POST")).await.unwrap_err();
    behind.until_quiet().await;
    assert_eq!(behind.arrived(), 1);
}

#[tokio::test]
async fn what_arrives_twice_is_answered_by_the_second() {
    let behind = Behind::with(&[(Point::Write, 1, What::Twice)]).await;
    assert_eq!(behind.ask("POST").await, good(1));
    assert_eq!((behind.ask("POST").await, behind.arrived()), (good(3), 3));
}

#[tokio::test]
async fn a_fault_lasts_as_often_as_it_says_for_its_kind_of_point() {
    let fault = What::Wire { fault: WireFault::Unreachable, times: 2 };
    let behind = Behind::with(&[(Point::Write, 0, fault)]).await;
    assert_eq!(behind.ask("POST").await, None);
    assert_eq!(behind.ask("GET").await, good(1));
    assert_eq!(behind.ask("POST").await, None);
    assert_eq!(behind.ask("POST").await, good(2));
}

#[tokio::test]
async fn who_is_to_die_gets_no_answer_before_or_after_it_was_carried_out() {
    for (point, arrives) in [(Point::Write, 0), (Point::Answer, 1)] {
        let behind = Behind::with(&[(point, 0, What::Crash { torn: false })]).await;
        let ask = behind.ask("POST");
        let dies = async {
            while !behind.proxy.crashed() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            answer = ask => panic!("an answer came: {answer:?}"),
            () = dies => assert_eq!(behind.arrived(), arrives),
        }
    }
}
