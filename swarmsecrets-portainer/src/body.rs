//! Reading answers: whole into one buffer, or piece by piece; never without an end.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Response;
use swarmsecrets_core::Result;
use swarmsecrets_core::transport::Chunks;
use tokio::time::timeout;

use crate::failure::Failure;

/// How much of a refusal is read: more than any message that people wrote.
const REFUSAL_BYTES: usize = 64 * 1024;
/// A whole answer may take this many times as long as the pause allowed within it.
const WHOLE: u32 = 20;

/// The words for messages, and how long a silence may be.
#[derive(Clone)]
pub(crate) struct Reading {
    pub(crate) what: String,
    pub(crate) origin: String,
    pub(crate) silence: Duration,
}

impl Reading {
    /// Reads a whole body into one buffer, of its full size from the start if the server says how long it is.
    pub(crate) async fn whole(&self, response: Response, limit: usize) -> Result<Vec<u8>, Failure> {
        let all = self.silence.saturating_mul(WHOLE);
        timeout(all, self.collect(response, limit)).await.unwrap_or_else(|_| Err(Failure::timeout(&self.what, all)))
    }

    async fn collect(&self, mut response: Response, limit: usize) -> Result<Vec<u8>, Failure> {
        let too_large = || Failure::too_large(&self.what, limit);
        let mut body = Vec::new();
        if let Some(announced) = response.content_length() {
            let announced = usize::try_from(announced).ok().filter(|n| *n <= limit).ok_or_else(too_large)?;
            body.try_reserve_exact(announced).map_err(|_| too_large())?;
        }
        while let Some(piece) = self.piece(&mut response).await? {
            if piece.len() > limit - body.len() {
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// Reads the beginning of a refusal's body. What cannot be read is left out: the status alone says what matters.
    pub(crate) async fn refusal(&self, mut response: Response) -> Vec<u8> {
        let mut body = Vec::new();
        while let Ok(Some(piece)) = self.piece(&mut response).await {
            let room = REFUSAL_BYTES - body.len();
            body.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.len() >= room {
                break;
            }
        }
        body
    }

    async fn piece(&self, response: &mut Response) -> Result<Option<bytes::Bytes>, Failure> {
        match timeout(self.silence, response.chunk()).await {
            Err(_) => Err(Failure::timeout(&self.what, self.silence)),
            Ok(Err(error)) => Err(Failure::http(&self.what, &self.origin, error)),
            Ok(Ok(piece)) => Ok(piece),
        }
    }
}

/// An answer that is read piece by piece.
pub(crate) struct Pieces {
    pub(crate) reading: Reading,
    /// `None` once it ended or broke.
    pub(crate) response: Option<Response>,
}

#[async_trait]
impl Chunks for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(response) = &mut self.response else { return Ok(None) };
        let piece = self.reading.piece(response).await;
        if !matches!(piece, Ok(Some(_))) {
            self.response = None;
        }
        Ok(piece?.map(Vec::from))
    }
}
