//! What is being carried out: in tasks of its own, which outlive the connections of those who asked for it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::Frame;
use serde_json::value::RawValue;
use swarmsecrets_client::{Client, Order, Told};
use swarmsecrets_core::executor::{Cancellation, Observer, Progress};
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::{Error, ErrorKind, Result};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{MissedTickBehavior, interval};

use crate::wire::{Fault, Line};

/// So many things are carried out at the same time at most.
const MOST: u32 = 64;

/// And so many for one agent, so that it keeps none from the others.
const MOST_EACH: usize = 16;

/// How often somebody who listens is told that the server is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// What is carried out by a client.
pub(super) type Work = Box<
    dyn for<'a> FnOnce(&'a Client, &'a Order<'a>) -> Pin<Box<dyn Future<Output = Result<Box<RawValue>>> + Send + 'a>>
        + Send,
>;

/// What is under way, each with its number, whose it is, and the way to stop it.
#[derive(Clone)]
pub(super) struct Running {
    room: Arc<Semaphore>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    last: u64,
    stopping: bool,
    under_way: BTreeMap<u64, (String, Cancellation)>,
}

impl Default for Running {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(MOST as usize)), known: Arc::default() }
    }
}

impl Running {
    /// Begins, and gives the lines of what happens.
    ///
    /// # Errors
    /// `RateLimited` if as much is under way as may be, or the server is stopping.
    pub(super) fn begin(&self, client: Arc<Client>, reason: Option<String>, work: Work) -> Result<Body> {
        let cancellation = Cancellation::default();
        let room = Arc::clone(&self.room).try_acquire_owned().ok();
        let number = room.as_ref().and_then(|_| self.known().add(client.agent().unwrap_or_default(), &cancellation));
        let number = number.ok_or_else(|| {
            let text = "the server carries out as much as it may, or is about to stop: try again later";
            Error::new(ErrorKind::RateLimited, text)
        })?;
        let (told, lines) = mpsc::unbounded_channel();
        let (teller, running) = (Teller(told), self.clone());
        teller.line(&Line::Began(number));
        tokio::spawn(async move {
            let order = Order { reason, observer: &teller, cancellation, ..Order::of(Word::Given) };
            let done = work(&client, &order).await;
            running.known().under_way.remove(&number);
            teller.line(&match done {
                Ok(report) => Line::Done(report),
                Err(error) => Line::Failed(Fault::from(&error)),
            });
            drop(room);
        });
        Ok(Body::new(Lines::new(lines)))
    }

    /// Asks one thing of an agent's to stop in good order.
    ///
    /// # Errors
    /// `NotFound` if it is over, or another's.
    pub(super) fn ask_to_stop(&self, agent: &str, number: u64) -> Result<()> {
        match self.known().under_way.get(&number) {
            Some((whose, cancellation)) if whose == agent => {
                cancellation.cancel();
                Ok(())
            }
            _ => Err(Error::new(ErrorKind::NotFound, format!("nothing of yours is under way as number {number}"))),
        }
    }

    /// Asks everything to stop in good order, takes nothing more, and waits.
    pub(super) async fn stop(&self) {
        self.known().stop();
        // All the room there is: whoever has some gives it back when it has ended.
        if let Ok(all) = self.room.acquire_many(MOST).await {
            all.forget();
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The number of what is begun for an agent, if anything may be.
    fn add(&mut self, agent: &str, cancellation: &Cancellation) -> Option<u64> {
        let of_agent = self.under_way.values().filter(|(whose, _)| whose == agent).count();
        if self.stopping || of_agent >= MOST_EACH {
            return None;
        }
        self.last += 1;
        self.under_way.insert(self.last, (agent.to_owned(), cancellation.clone()));
        Some(self.last)
    }

    fn stop(&mut self) {
        self.stopping = true;
        for (_, cancellation) in self.under_way.values() {
            cancellation.cancel();
        }
    }
}

/// Writes lines for whoever listens, if anybody still does.
struct Teller(mpsc::UnboundedSender<Bytes>);

impl Teller {
    fn line(&self, line: &Line) {
        match serde_json::to_vec(line) {
            Ok(mut text) => {
                text.push(b'\n');
                // Nobody listens any more: what is under way goes on.
                drop(self.0.send(text.into()));
            }
            Err(e) => tracing::warn!("a line cannot be written: {e}"),
        }
    }
}

impl Observer for Teller {
    fn tell(&self, progress: &Progress<'_>) {
        if let Some(told) = Told::of(progress) {
            self.line(&Line::Told(told));
        }
    }
}

/// The lines, with empty ones in long pauses.
struct Lines {
    lines: mpsc::UnboundedReceiver<Bytes>,
    signs: tokio::time::Interval,
}

impl Lines {
    fn new(lines: mpsc::UnboundedReceiver<Bytes>) -> Self {
        let mut signs = interval(SIGN_OF_LIFE);
        signs.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { lines, signs }
    }
}

impl http_body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Infallible>>> {
        if let Poll::Ready(line) = self.lines.poll_recv(cx) {
            return Poll::Ready(line.map(|line| Ok(Frame::data(line))));
        }
        self.signs.poll_tick(cx).map(|_| Some(Ok(Frame::data(Bytes::from_static(b"\n")))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_agent_takes_all_the_room_and_nothing_begins_once_it_stops() {
        let (mut known, cancellation) = (Known::default(), Cancellation::default());
        for _ in 0..MOST_EACH {
            assert!(known.add("agent-7", &cancellation).is_some());
        }
        assert_eq!(known.add("agent-7", &cancellation), None);
        assert!(known.add("agent-8", &cancellation).is_some());
        known.stop();
        assert!(cancellation.is_cancelled());
        assert_eq!(known.add("agent-9", &cancellation), None);
    }
}
