//! What every [`JournalStore`] must do.

use jiff::Timestamp;
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{Entry, Event, FORMAT, JournalStore};

use super::{must, must_not};

/// Runs the suite. Each call of `open` opens the same place anew, as another process would; the place is empty at first.
/// `lose` takes a lease away from the one who holds it, in the way that this store can lose one, and returns when another may
/// take it: it lets the time pass that a silent holder has, or removes a lock's file. Who has it taken away can ask the
/// place again afterwards.
///
/// # Panics
/// If the store breaks a promise of the trait.
pub async fn check<S: JournalStore>(open: impl Fn() -> S, lose: impl AsyncFn(&RotationId)) {
    empty_place(&open).await;
    entries_are_kept(&open).await;
    entries_have_their_order(&open).await;
    one_has_it_at_a_time(&open).await;
    who_lost_it_writes_no_more(&open, &lose).await;
}

fn rotation(n: u8) -> RotationId {
    RotationId::from_random([n; 10])
}

fn entry(n: u64, reason: &str) -> Entry {
    let at = Timestamp::from_second(i64::try_from(n).unwrap_or_default()).unwrap_or_default();
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
    let leases = [
        must("a rotation can be taken", store.lock(&first).await),
        must("a second one besides", store.lock(&second).await),
    ];
    let mut later = entry(0, "other");
    later.at = entry(7, "").at;
    must("an entry is taken", store.append(&first, &entry(0, odd)).await);
    must("an entry of another rotation is taken", store.append(&second, &later).await);
    must("a further entry is taken", store.append(&first, &entry(1, "")).await);
    drop(leases);
    let anew = open();
    let lease = must("what was opened anew can take it", anew.lock(&first).await);
    must("what was opened anew goes on", anew.append(&first, &entry(2, "three")).await);
    drop(lease);

    let read = must("what was written can be read", open().load(&first).await);
    assert_eq!(read.entries, [entry(0, odd), entry(1, ""), entry(2, "three")], "entries come back in order, unchanged");
    assert_eq!(read.torn_bytes, 0, "nothing was torn");
    let other = must("the other journal can be read", open().load(&second).await);
    assert_eq!(other.entries, [later], "each rotation has a journal of its own");
    let all = must("journals can be listed", open().list().await);
    assert_eq!(all, [first, second], "journals are listed, oldest first");
}

async fn entries_have_their_order<S: JournalStore>(open: &impl Fn() -> S) {
    let (store, ours) = (open(), rotation(5));
    let _lease = must("a rotation can be taken", store.lock(&ours).await);
    must_not("a first entry that is not number 0", ErrorKind::Journal, store.append(&ours, &entry(1, "")).await);
    must("the first entry is taken", store.append(&ours, &entry(0, "")).await);
    must("the second entry is taken", store.append(&ours, &entry(1, "")).await);
    for n in [0, 1, 3] {
        must_not(format!("entry {n} after entry 1"), ErrorKind::Journal, store.append(&ours, &entry(n, "")).await);
    }
    let read = must("it can be read", open().load(&ours).await);
    assert_eq!(read.entries, [entry(0, ""), entry(1, "")], "what was refused is not there");
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

async fn who_lost_it_writes_no_more<S: JournalStore>(open: &impl Fn() -> S, lose: &impl AsyncFn(&RotationId)) {
    let ours = rotation(6);
    let loser = open();
    let lost = must("a rotation can be taken", loser.lock(&ours).await);
    must("its holder writes", loser.append(&ours, &entry(0, "the loser's")).await);
    lose(&ours).await;
    let winner = open();
    let lease = must("what its holder has lost can be taken", winner.lock(&ours).await);
    assert!(!lost.held(), "what was lost is not held");
    assert!(lease.held(), "and is held by whoever took it");
    // It would be the next one: what refuses it is the lease, not the number.
    must_not("an entry of the loser", ErrorKind::Conflict, loser.append(&ours, &entry(1, "the loser's")).await);
    must("the new holder goes on", winner.append(&ours, &entry(1, "the winner's")).await);
    drop(lost);
    assert!(lease.held(), "what the loser gives back was not its own any more");
    must_not("a rotation that the winner has", ErrorKind::Conflict, open().lock(&ours).await);
    must("the new holder goes on still", winner.append(&ours, &entry(2, "the winner's")).await);
    let read = must("it can be read", open().load(&ours).await);
    let wanted = [entry(0, "the loser's"), entry(1, "the winner's"), entry(2, "the winner's")];
    assert_eq!(read.entries, wanted, "nothing of the loser's came after it had lost the lease");
}
