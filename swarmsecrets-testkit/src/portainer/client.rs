//! The way to a Portainer inside this process: core's [`Transport`] without a socket.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use percent_encoding::percent_decode_str;
use swarmsecrets_core::error::{Error, ErrorKind, Result};
use swarmsecrets_core::policy::Permit;
use swarmsecrets_core::transport::{Chunks, Read, RequestView, Response, Transport, Write, refusal};

use super::exchange::Body;
use super::{Portainer, PortainerRequest, PortainerResponse, WireFault};
use crate::engine::Pieces;

/// How much virtual time the way there and back takes.
const ROUND_TRIP: Duration = Duration::from_millis(2);

type Hook = Box<dyn FnMut(&RequestView<'_>) -> Option<WireFault> + Send>;

/// Sends a user's requests to a Portainer in this process.
pub struct PortainerClient {
    portainer: Arc<Portainer>,
    user: u64,
    agent: Option<String>,
    sent: AtomicU64,
    hook: Mutex<Hook>,
}

impl PortainerClient {
    /// A client of a user.
    #[must_use]
    pub fn new(portainer: Arc<Portainer>, user: u64) -> Self {
        Self { portainer, user, agent: None, sent: AtomicU64::new(0), hook: Mutex::new(Box::new(|_| None)) }
    }

    /// The same client, for an AI agent: each request carries its id.
    #[must_use]
    pub fn agent(mut self, id: &str) -> Self {
        self.agent = Some(id.to_owned());
        self
    }

    /// How many requests it has sent.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Asks `hook` about each request from now on.
    pub fn on_request(&self, hook: impl FnMut(&RequestView<'_>) -> Option<WireFault> + Send + 'static) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(hook);
    }

    async fn send(&self, view: RequestView<'_>) -> Result<PortainerResponse> {
        let fault = (self.hook.lock().unwrap_or_else(PoisonError::into_inner))(&view);
        if fault == Some(WireFault::Unreachable) {
            let text = format!("cannot {}: no connection to the simulated Portainer", view.what);
            return Err(Error::new(ErrorKind::Unreachable, text));
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        let clock = self.portainer.clock();
        if self.simulated() {
            clock.sleep(ROUND_TRIP).await;
        }
        let no_answer = || Error::new(ErrorKind::Timeout, format!("cannot {}: no answer came", view.what));
        let answer = match fault {
            Some(WireFault::Answer(status, body)) => return Ok(in_place(status, body)),
            Some(WireFault::Delay(time)) => {
                clock.sleep(time).await;
                self.portainer.answer_to(self.user, self.request(view)).await
            }
            Some(WireFault::LoseAnswer) => {
                self.portainer.answer_to(self.user, self.request(view)).await;
                return Err(no_answer());
            }
            Some(WireFault::Mask(status, body)) => {
                self.portainer.answer_to(self.user, self.request(view)).await;
                in_place(status, body)
            }
            _ => self.portainer.answer_to(self.user, self.request(view)).await,
        };
        if answer.status == 0 { Err(no_answer()) } else { Ok(answer) }
    }

    fn request(&self, view: RequestView<'_>) -> PortainerRequest {
        let mut request =
            PortainerRequest::new(view.method.as_str(), &percent_decode_str(view.path).decode_utf8_lossy());
        request.query = view.query.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        request.body = view.body.unwrap_or_default().to_vec();
        if let Some(agent) = &self.agent {
            request = request.header("X-AI-Agent-ID", agent);
        }
        request
    }

    async fn whole(&self, view: RequestView<'_>) -> Result<Response> {
        let answer = self.send(view).await?;
        let status = answer.status;
        let body = answer.bytes().await;
        if (200..300).contains(&status) {
            Ok(Response { status, body: body.into() })
        } else {
            Err(refusal(view.what, status, &body))
        }
    }
}

fn in_place(status: u16, body: String) -> PortainerResponse {
    PortainerResponse::whole(status, "application/json", body.into_bytes())
}

#[async_trait]
impl Transport for PortainerClient {
    async fn read(&self, request: &Read) -> Result<Response> {
        self.whole(request.view()).await
    }

    async fn stream(&self, request: &Read) -> Result<Box<dyn Chunks>> {
        let view = request.view();
        let answer = self.send(view).await?;
        if !(200..300).contains(&answer.status) {
            let status = answer.status;
            return Err(refusal(view.what, status, &answer.bytes().await));
        }
        Ok(Box::new(Chunked(answer.body)))
    }

    async fn write(&self, request: Write, permit: Permit) -> Result<Response> {
        // Held until the answer is there: a permit is for this one mutation.
        let answer = self.whole(request.view()).await;
        drop(permit);
        answer
    }

    fn simulated(&self) -> bool {
        self.portainer.engine().simulated()
    }
}

struct Chunked(Body);

#[async_trait]
impl Chunks for Chunked {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        Ok(match &mut self.0 {
            Body::Whole(bytes) => Some(std::mem::take(bytes)).filter(|b| !b.is_empty()),
            Body::Pieces(pieces) => next(pieces.as_mut()).await,
        })
    }
}

async fn next(pieces: &mut dyn Pieces) -> Option<Vec<u8>> {
    pieces.next().await
}
