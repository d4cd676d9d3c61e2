//! A transport that counts.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use crate::error::Result;
use crate::policy::Permit;
use crate::transport::{Chunks, Read, Response, Transport, Write};

/// Counts what is sent.
pub(super) struct Counted<'a> {
    inner: &'a dyn Transport,
    sent: AtomicU64,
}

impl<'a> Counted<'a> {
    pub(super) fn new(inner: &'a dyn Transport) -> Self {
        Self { inner, sent: AtomicU64::new(0) }
    }

    /// How many requests were sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Transport for Counted<'_> {
    async fn read(&self, request: &Read) -> Result<Response> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.inner.read(request).await
    }

    async fn stream(&self, request: &Read) -> Result<Box<dyn Chunks>> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.inner.stream(request).await
    }

    async fn write(&self, request: Write, permit: Permit) -> Result<Response> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.inner.write(request, permit).await
    }

    fn simulated(&self) -> bool {
        self.inner.simulated()
    }
}
