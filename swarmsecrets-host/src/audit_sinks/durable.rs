//! A record on its way to one sink.

use std::sync::Arc;
use std::time::Duration;

use swarmsecrets_core::audit::AuditRecord;
use swarmsecrets_core::{Error, ErrorKind, Result};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::NamedSink;

/// A sink that was asked to take a record.
pub(super) struct Asked {
    name: String,
    within: Duration,
    until: Instant,
    work: JoinHandle<Result<()>>,
}

impl Asked {
    /// Asks it. A task of its own: a sink that never returns holds nobody up, and one that panics takes nobody along.
    pub(super) fn begin(to: &NamedSink, record: &AuditRecord) -> Self {
        let (sink, record) = (Arc::clone(&to.sink), record.clone());
        let work = tokio::spawn(async move { sink.append(&record).await });
        Self { name: to.name.clone(), within: to.within, until: Instant::now() + to.within, work }
    }

    /// What came of it, within its time.
    pub(super) async fn ended(mut self) -> Result<()> {
        let (name, work) = (&self.name, &mut self.work);
        let failed = |why: String| Error::new(ErrorKind::Audit, format!("audit sink {name}: {why}"));
        match timeout_at(self.until, work).await {
            Ok(Ok(taken)) => taken.map_err(|error| failed(error.message().to_owned()).with_source(error)),
            Ok(Err(panic)) => Err(failed("it broke off while it took the record".into()).with_source(panic)),
            Err(_) => {
                // It may have taken the record all the same, or take it yet: an intent too many, of which nothing was done.
                self.work.abort();
                Err(failed(format!("it did not take the record within {} ms", self.within.as_millis())))
            }
        }
    }
}
