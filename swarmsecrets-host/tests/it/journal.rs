//! Journals: what was acknowledged comes back, and nothing else.

use std::fs;
use std::path::Path;

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::ids::{RotationId, SecretId};
use swarmsecrets_core::journal::{Entry, Event, FORMAT, JournalStore};
use swarmsecrets_host::FileJournal;
use swarmsecrets_testkit::conformance;
use tempfile::TempDir;

fn rotation(n: u8) -> RotationId {
    RotationId::from_random([n; 10])
}

fn entry(n: u64) -> Entry {
    let id: SecretId = format!("secret{n}").parse().unwrap();
    let event = if n.is_multiple_of(2) {
        Event::Owned { secret: 0, note: None }
    } else {
        Event::Created { secret: 0, id, control: None, owner: None }
    };
    Entry { v: FORMAT, n, at: format!("2026-05-07T21:09:3{}Z", n % 10).parse().unwrap(), event }
}

fn open() -> (TempDir, FileJournal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(&dir.path().join("state")).unwrap();
    (dir, journal)
}

async fn write(journal: &FileJournal, rotation: &RotationId, entries: std::ops::Range<u64>) {
    for n in entries {
        journal.append(rotation, &entry(n)).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_written_comes_back() {
    let (_dir, journal) = open();
    assert_eq!(journal.load(&rotation(1)).await.unwrap_err().kind(), ErrorKind::NotFound);
    write(&journal, &rotation(1), 0..5).await;
    let loaded = journal.load(&rotation(1)).await.unwrap();
    assert_eq!(loaded.entries, (0..5).map(entry).collect::<Vec<_>>());
    assert_eq!(loaded.torn_bytes, 0);
}

#[tokio::test]
async fn a_last_entry_cut_at_any_byte_is_left_out_and_replaced() {
    let (_dir, journal) = open();
    let id = rotation(1);
    write(&journal, &id, 0..3).await;
    let whole = fs::read(journal.path(&id)).unwrap();
    let kept = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for cut in kept..whole.len() {
        fs::write(journal.path(&id), &whole[..cut]).unwrap();
        let loaded = journal.load(&id).await.unwrap();
        assert_eq!((loaded.entries.len(), loaded.torn_bytes), (2, cut - kept), "cut at {cut}");
        // Reading repairs nothing: who reads need not be who writes.
        assert_eq!(fs::read(journal.path(&id)).unwrap(), &whole[..cut]);
        journal.append(&id, &entry(2)).await.unwrap();
        assert_eq!(fs::read(journal.path(&id)).unwrap(), whole, "cut at {cut}");
    }
}

#[tokio::test]
async fn a_first_entry_cut_at_any_byte_leaves_an_empty_journal() {
    let (_dir, journal) = open();
    let id = rotation(1);
    write(&journal, &id, 0..1).await;
    let whole = fs::read(journal.path(&id)).unwrap();
    for cut in 0..whole.len() {
        fs::write(journal.path(&id), &whole[..cut]).unwrap();
        let loaded = journal.load(&id).await.unwrap();
        assert_eq!((loaded.entries.len(), loaded.torn_bytes), (0, cut));
        assert_eq!(journal.list().await.unwrap(), []);
    }
}

#[tokio::test]
async fn damage_before_the_end_is_named_and_never_repaired() {
    let (_dir, journal) = open();
    let id = rotation(1);
    write(&journal, &id, 0..3).await;
    let whole = fs::read_to_string(journal.path(&id)).unwrap();
    let [a, b, c] = whole.lines().collect::<Vec<_>>()[..] else { panic!("{whole}") };
    let zeros = "\0".repeat(b.len());
    for (what, damaged, says) in [
        ("no JSON", format!("{a}\ngarbage\n{c}\n"), "line 2"),
        ("zeros", format!("{a}\n{zeros}\n{c}\n"), "line 2"),
        ("an empty line", format!("{a}\n\n{b}\n{c}\n"), "line 2"),
        ("a lost line", format!("{a}\n{c}\n"), "line 2"),
        ("a doubled line", format!("{a}\n{b}\n{b}\n"), "line 3"),
        ("a last line with its break but not its content", format!("{a}\n{b}\n{{\n"), "line 3"),
        ("another format", whole.replacen("{\"v\":1", "{\"v\":2", 1), "format 2 is not known"),
    ] {
        fs::write(journal.path(&id), &damaged).unwrap();
        let error = journal.load(&id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Journal, "{what}");
        assert!(error.message().contains(says), "{what}: {error}");
        assert_eq!(fs::read_to_string(journal.path(&id)).unwrap(), damaged, "{what}");
    }
}

#[tokio::test]
async fn an_entry_out_of_turn_is_refused() {
    let (_dir, journal) = open();
    let id = rotation(1);
    write(&journal, &id, 0..2).await;
    let before = fs::read(journal.path(&id)).unwrap();
    for n in [0, 1, 3] {
        assert_eq!(journal.append(&id, &entry(n)).await.unwrap_err().kind(), ErrorKind::Journal, "{n}");
    }
    assert_eq!(fs::read(journal.path(&id)).unwrap(), before);
}

#[tokio::test]
async fn rotations_are_listed_oldest_first() {
    let (_dir, journal) = open();
    for (n, second) in [(1, 7), (2, 3), (3, 5)] {
        let mut first = entry(0);
        first.at = format!("2026-05-07T21:09:0{second}Z").parse().unwrap();
        journal.append(&rotation(n), &first).await.unwrap();
        drop(journal.lock(&rotation(n)).await.unwrap());
    }
    let folder = journal.path(&rotation(1)).parent().unwrap().to_owned();
    fs::write(folder.join("notes.jsonl"), "not ours").unwrap();
    assert_eq!(journal.list().await.unwrap(), [rotation(2), rotation(3), rotation(1)]);
}

#[tokio::test]
async fn one_holder_for_each_rotation() {
    let (dir, journal) = open();
    let other = FileJournal::open(&dir.path().join("state")).unwrap();
    let lease = journal.lock(&rotation(1)).await.unwrap();
    assert!(lease.held());
    let error = other.lock(&rotation(1)).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains(&format!("process {}", std::process::id())), "{error}");
    assert!(other.lock(&rotation(2)).await.is_ok());
    drop(lease);
    assert!(other.lock(&rotation(1)).await.is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn files_keep_the_promises_of_a_journal() {
    let dir = tempfile::tempdir().unwrap();
    let open = || FileJournal::open(dir.path()).unwrap();
    conformance::journal_store::check(open, async |rotation| {
        fs::remove_file(open().path(rotation).with_extension("lock")).unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_lock_file_of_a_dead_process_is_in_nobodys_way() {
    let (_dir, journal) = open();
    fs::write(journal.path(&rotation(1)).with_extension("lock"), "4194305\n").unwrap();
    let lease = journal.lock(&rotation(1)).await.unwrap();
    let error = journal.lock(&rotation(1)).await.err().unwrap();
    assert!(error.message().contains(&format!("process {}", std::process::id())), "{error}");
    drop(lease);
    let left = fs::read_to_string(journal.path(&rotation(1)).with_extension("lock")).unwrap();
    assert_eq!(left, "", "whoever is gone is not named to others");
}

/// Somebody who copies the folder back puts other files in the place of these.
#[cfg(unix)]
#[tokio::test]
async fn a_lease_whose_file_was_replaced_is_not_held() {
    let (dir, journal) = open();
    let lease = journal.lock(&rotation(1)).await.unwrap();
    let other = dir.path().join("other");
    fs::write(&other, "").unwrap();
    fs::rename(&other, journal.path(&rotation(1)).with_extension("lock")).unwrap();
    assert!(!lease.held());
    assert_eq!(journal.append(&rotation(1), &entry(0)).await.unwrap_err().kind(), ErrorKind::Conflict);
}

#[cfg(unix)]
#[tokio::test]
async fn a_lease_whose_file_was_removed_is_not_held() {
    let (_dir, journal) = open();
    let lease = journal.lock(&rotation(1)).await.unwrap();
    fs::remove_file(journal.path(&rotation(1)).with_extension("lock")).unwrap();
    assert!(!lease.held());
    let second = journal.lock(&rotation(1)).await.unwrap();
    assert!(second.held() && !lease.held());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, journal) = open();
    write(&journal, &rotation(1), 0..1).await;
    drop(journal.lock(&rotation(1)).await.unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let state = dir.path().join("state");
    assert_eq!((mode(&state), mode(&state.join("rotations"))), (0o700, 0o700));
    let files: Vec<_> = fs::read_dir(state.join("rotations")).unwrap().map(|f| mode(&f.unwrap().path())).collect();
    assert_eq!(files, [0o600, 0o600]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_acknowledges_nothing() {
    let (_dir, journal) = open();
    std::os::unix::fs::symlink("/dev/full", journal.path(&rotation(1))).unwrap();
    let error = journal.append(&rotation(1), &entry(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Journal);
    assert!(error.message().contains("No space left"), "{error}");
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    fs::write(&path, "").unwrap();
    assert_eq!(FileJournal::open(&path).unwrap_err().kind(), ErrorKind::Journal);
}
