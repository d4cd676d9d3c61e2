//! Intents without an outcome, as they are found when a trail is opened.

use std::fs;

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::audit::{AuditRecord, AuditSink, Phase};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{Entry, Event, FORMAT, JournalStore};
use swarmsecrets_host::{FileAudit, FileJournal, open_intents};

use crate::audit::record;

fn of(rotation: u8, step: u32, outcome: Option<&str>) -> AuditRecord {
    let phase = if outcome.is_some() { Phase::Outcome } else { Phase::Intent };
    let rotation = RotationId::from_random([rotation; 10]);
    AuditRecord { rotation, phase, outcome: outcome.map(str::to_owned), ..record(step) }
}

#[tokio::test]
async fn what_nobody_goes_on_with_is_found_and_what_is_broken_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (trail, journals) = (dir.path().join("audit.jsonl"), FileJournal::open(dir.path()).unwrap());
    assert_eq!(open_intents(&trail, &journals).await.unwrap(), [], "there is no trail yet");
    let audit = FileAudit::open(dir.path()).unwrap();
    for record in [of(1, 1, None), of(1, 1, Some("done")), of(1, 2, None), of(2, 1, None), of(2, 1, Some("unknown: x"))]
    {
        audit.append(&record).await.unwrap();
    }
    let open = open_intents(&trail, &journals).await.unwrap();
    assert_eq!(open.iter().map(|entry| (entry.n, entry.record.step)).collect::<Vec<_>>(), [(2, 2)]);
    // A journal that cannot be understood tells nothing.
    let begun = Event::UndoBegun { reason: "made up".into() };
    let entry = Entry { v: FORMAT, n: 0, at: jiff::Timestamp::UNIX_EPOCH, event: begun };
    journals.append(&RotationId::from_random([1; 10]), &entry).await.unwrap();
    assert!(open_intents(&trail, &journals).await.is_err());
    let text = fs::read_to_string(&trail).unwrap();
    fs::write(&trail, text.replacen("web1", "web9", 1)).unwrap();
    let error = open_intents(&trail, &journals).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Audit && error.message().contains("audit record 0"), "{error}");
}
