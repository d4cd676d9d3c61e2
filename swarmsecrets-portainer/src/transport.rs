//! The transport itself: reads with retries, mutations once.

use std::fmt;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Body;
use swarmsecrets_core::Result;
use swarmsecrets_core::policy::Permit;
use swarmsecrets_core::transport::{Chunks, Method, Read, Response, Transport, Write};

use crate::address::Address;
use crate::attempt::{Wire, request};
use crate::body::{Pieces, Reading};
use crate::builder::Builder;
use crate::failure::Failure;
use crate::retry::{Retries, random};

/// The way to one Portainer over HTTP. Make it with [`PortainerTransport::builder`]; share it behind an `Arc`.
pub struct PortainerTransport {
    pub(crate) address: Address,
    pub(crate) wire: Wire,
    pub(crate) retries: Retries,
    pub(crate) max_body: usize,
    pub(crate) agent: String,
    pub(crate) insecure: bool,
}

impl PortainerTransport {
    /// Begins with the URL of Portainer, such as `https://portainer.example.org:9443`. A path before `/api` is kept.
    #[must_use]
    pub fn builder(url: &str) -> Builder {
        Builder::new(url)
    }

    /// Which Portainer this is, for change requests: scheme, host, port and the path before `/api`.
    #[must_use]
    pub fn instance(&self) -> String {
        self.address.shown()
    }

    /// How many requests went out, those that were sent again included. Attempts that found no connection do not count.
    #[must_use]
    pub fn requests_sent(&self) -> u64 {
        self.wire.sent.load(Ordering::Relaxed)
    }

    /// Whether the credential and the values travel in the clear over a network: warn the user.
    #[must_use]
    pub fn insecure(&self) -> bool {
        self.insecure
    }

    /// Sends a read until an answer begins, or the retries are used up.
    async fn answer(&self, read: &Read) -> Result<(reqwest::Response, Reading), Failure> {
        let view = read.view();
        let url = self.address.target(&view).map_err(Failure::lasting)?;
        let request = request(Method::Get, url, view.node, None).map_err(Failure::lasting)?;
        self.wire.send(request, view.what).await
    }

    async fn whole_answer(&self, read: &Read) -> Result<Response, Failure> {
        let (response, reading) = self.answer(read).await?;
        let status = response.status().as_u16();
        let body = reading.whole(response, self.max_body).await?;
        Ok(Response { status, body: body.into() })
    }

    /// Waits as the failure asks for, or gives its error back.
    async fn pause(&self, failure: Failure, done: u32, read: &Read) -> Result<()> {
        let what = read.view().what;
        let kind = failure.error.kind();
        let pause = self.retries.pause(failure, done, random())?;
        tracing::debug!(what, %kind, ?pause, "a read failed and is sent again");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// The body of a mutation, sent from the buffer that it was made in: that one is overwritten when it is dropped.
struct OwnBody(Write);

impl AsRef<[u8]> for OwnBody {
    fn as_ref(&self) -> &[u8] {
        self.0.view().body.unwrap_or_default()
    }
}

#[async_trait]
impl Transport for PortainerTransport {
    async fn read(&self, request: &Read) -> Result<Response> {
        let mut done = 0;
        loop {
            done += 1;
            match self.whole_answer(request).await {
                Ok(response) => return Ok(response),
                Err(failure) => self.pause(failure, done, request).await?,
            }
        }
    }

    async fn stream(&self, request: &Read) -> Result<Box<dyn Chunks>> {
        let mut done = 0;
        loop {
            done += 1;
            match self.answer(request).await {
                Ok((response, reading)) => return Ok(Box::new(Pieces { reading, response: Some(response) })),
                Err(failure) => self.pause(failure, done, request).await?,
            }
        }
    }

    async fn write(&self, write: Write, permit: Permit) -> Result<Response> {
        let view = write.view();
        let (method, what) = (view.method, view.what.to_owned());
        let url = self.address.target(&view)?;
        let node = view.node.clone();
        let body = view.body.is_some().then(|| Body::from(Bytes::from_owner(OwnBody(write))));
        tracing::debug!(what, plan = %permit.plan(), "sends a mutation");
        let (response, reading) = self.wire.send(request(method, url, &node, body)?, &what).await?;
        let status = response.status().as_u16();
        // A good answer that cannot be read whole: the mutation may have been done.
        let body = reading.whole(response, self.max_body).await.map_err(Failure::of_a_change)?;
        Ok(Response { status, body: body.into() })
    }

    fn simulated(&self) -> bool {
        self.wire.world.is_simulated()
    }
}

impl fmt::Debug for PortainerTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortainerTransport")
            .field("url", &self.address.shown())
            .field("agent", &self.agent)
            .field("requests_sent", &self.requests_sent())
            .finish_non_exhaustive()
    }
}
