//! What every [`JournalStore`] must do.

use jiff::Timestamp;
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{Entry, Event, FORMAT, JournalStore};

use super::{must, must_not};

/// Runs the suite. Each call of `open` opens the same place anew, as another process would; the place is empty at first.
///
/// # Panics
/// If the store breaks a promise of the trait.
pub async fn check<S: JournalStore>(open: impl Fn() -> S) {
    empty_place(&open).await;
    entries_are_kept(&open).await;
    one_has_it_at_a_time(&open).await;
}

fn rotation(n: u8) -> RotationId {
    RotationId::from_random([n; 10])
}

fn entry(n: u64, reason: &str) -> Entry {
    let at = Timestamp::UNIX_EPOCH;
    Entry { v: FORMAT, n, at, event: Event::UndoBegun { reason: reason.to_owned() } }
}

async fn empty_place<S: JournalStore>(open: &impl Fn() -> S) {
    assert!(must("an empty place can be listed", open().list().await).is_empty(), "an empty place has no journal");
    must_not("a journal that is not there", ErrorKind::NotFound, open().load(&rotation(9)).await);
}

async fn entries_are_kept<S: JournalStore>(open: &impl Fn() -> S) {
    // The later number first: the order is that of their beginning, not that of their names.
    let (second, first) = (rotation(1), rotation(2));
    let odd = "line\nbreak, \"quotes\", ünïcode, \u{0} and \u{1b}[31m";
    let store = open();
    must("an entry is taken", store.append(&first, &entry(0, odd)).await);
    must("an entry of another rotation is taken", store.append(&second, &entry(0, "other")).await);
    must("a further entry is taken", store.append(&first, &entry(1, "")).await);
    must("what was opened anew goes on", open().append(&first, &entry(2, "three")).await);

    let read = must("what was written can be read", open().load(&first).await);
    assert_eq!(read.entries, [entry(0, odd), entry(1, ""), entry(2, "three")], "entries come back in order, unchanged");
    assert_eq!(read.torn_bytes, 0, "nothing was torn");
    let other = must("the other journal can be read", open().load(&second).await);
    assert_eq!(other.entries, [entry(0, "other")], "each rotation has a journal of its own");
    let all = must("journals can be listed", open().list().await);
    assert_eq!(all, [first, second], "journals are listed, oldest first");
}

async fn one_has_it_at_a_time<S: JournalStore>(open: &impl Fn() -> S) {
    let (ours, free) = (rotation(3), rotation(4));
    let (here, there) = (open(), open());
    let lease = must("a rotation can be taken", here.lock(&ours).await);
    assert!(lease.held(), "what was taken is held");
    must_not("a rotation that another has", ErrorKind::Conflict, there.lock(&ours).await);
    must_not("a rotation that we have already", ErrorKind::Conflict, here.lock(&ours).await);
    drop(must("another rotation is free", there.lock(&free).await));
    drop(lease);
    let again = must("a rotation that was given back can be taken", there.lock(&ours).await);
    assert!(again.held(), "what was taken again is held");
    must_not("a rotation that was taken again", ErrorKind::Conflict, here.lock(&ours).await);
}
