//! A transport: another one, whose requests are written down.

use async_trait::async_trait;
use swarmsecrets_core::Result;
use swarmsecrets_core::policy::Permit;
use swarmsecrets_core::transport::{Chunks, Read, Response, Transport, Write};

/// Hands everything on, and tells what it is. Paths and words hold no value; bodies do, and are not looked at.
pub struct Told<T, F>(pub T, pub F);

#[async_trait]
impl<T: Transport, F: Fn(&str) + Send + Sync> Transport for Told<T, F> {
    async fn read(&self, request: &Read) -> Result<Response> {
        (self.1)(request.view().what);
        self.0.read(request).await
    }

    async fn stream(&self, request: &Read) -> Result<Box<dyn Chunks>> {
        (self.1)(request.view().what);
        self.0.stream(request).await
    }

    async fn write(&self, request: Write, permit: Permit) -> Result<Response> {
        (self.1)(request.view().what);
        self.0.write(request, permit).await
    }

    fn simulated(&self) -> bool {
        self.0.simulated()
    }
}
