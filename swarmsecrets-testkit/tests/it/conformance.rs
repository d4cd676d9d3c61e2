//! The suites, run by what this workspace itself has in memory and in process.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use swarmsecrets_core::audit::{AuditRecord, AuditSink};
use swarmsecrets_core::journal::MemoryJournal;
use swarmsecrets_testkit::conformance;
use swarmsecrets_testkit::portainer::PortainerClient;

#[tokio::test]
async fn the_journal_in_memory_keeps_its_promises() {
    let store = MemoryJournal::default();
    conformance::journal_store::check(|| store.opened_anew(), async |rotation| store.expire(rotation)).await;
}

#[tokio::test]
async fn the_transport_in_process_keeps_its_promises() {
    conformance::transport::check(async |c| PortainerClient::new(c.portainer, c.user)).await;
}

/// A sink that may lose every third record.
#[derive(Clone)]
struct Records(Arc<Mutex<Vec<AuditRecord>>>, bool);

#[async_trait]
impl AuditSink for Records {
    async fn append(&self, record: &AuditRecord) -> swarmsecrets_core::Result<()> {
        let mut records = self.0.lock().unwrap();
        if !(self.1 && records.len() == 2) {
            records.push(record.clone());
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_sink_that_keeps_its_promises_passes() {
    let sink = Records(Arc::default(), false);
    let kept = sink.clone();
    conformance::audit_sink::check(|| sink.clone(), || kept.0.lock().unwrap().clone()).await;
}

#[tokio::test]
#[should_panic(expected = "a record is there, unchanged, when the sink has taken it")]
async fn a_sink_that_loses_a_record_is_found_out() {
    let sink = Records(Arc::default(), true);
    let kept = sink.clone();
    conformance::audit_sink::check(|| sink.clone(), || kept.0.lock().unwrap().clone()).await;
}
