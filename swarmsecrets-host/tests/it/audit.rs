//! The audit trail: every acknowledged record stands in one chain, whoever wrote it.

use std::fs;
use std::path::{Path, PathBuf};

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::audit::{Actor, AuditRecord, AuditSink, MAX_LINE, Phase, Query};
use swarmsecrets_core::ids::{EnvironmentId, PlanDigest, RotationId};
use swarmsecrets_core::policy::Direction;
use swarmsecrets_host::{FileAudit, query_audit, verify_audit};
use swarmsecrets_testkit::conformance;
use tempfile::TempDir;

pub(crate) fn record(step: u32) -> AuditRecord {
    AuditRecord {
        at: "2026-05-07T21:09:36Z".parse().unwrap(),
        actor: Actor { account: "svc-agent".into(), agent: Some("test".into()), reason: None, leave: None },
        environment: EnvironmentId(1),
        rotation: RotationId::from_random([1; 10]),
        plan: PlanDigest::from_sha256([2; 32]),
        phase: Phase::Intent,
        step,
        direction: Direction::Forward,
        action: format!("update service `web{step}`"),
        outcome: None,
        simulated: false,
    }
}

async fn trail(records: u32) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let audit = FileAudit::open(dir.path()).unwrap();
    for step in 0..records {
        audit.append(&record(step)).await.unwrap();
    }
    let path = dir.path().join("audit.jsonl");
    (dir, path)
}

fn assert_whole(path: &Path, records: u64) {
    let verdict = verify_audit(path).unwrap();
    assert_eq!((verdict.records, verdict.problem.as_deref()), (records, None));
    assert!(verdict.whole);
}

/// What is wrong with a trail, and how many records stand before that.
fn problem(path: &Path) -> (u64, String) {
    let verdict = verify_audit(path).unwrap();
    assert!(!verdict.whole);
    (verdict.records, verdict.problem.unwrap())
}

#[tokio::test]
async fn a_trail_goes_on_where_it_ended() {
    let (dir, path) = trail(2).await;
    let again = FileAudit::open(dir.path()).unwrap();
    again.append(&record(2)).await.unwrap();
    assert_whole(&path, 3);
    assert_eq!(again.cut_bytes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_writers_make_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let mut writers = Vec::new();
    for _ in 0..4 {
        let audit = FileAudit::open(dir.path()).unwrap();
        writers.push(tokio::spawn(async move {
            for step in 0..25 {
                audit.append(&record(step)).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_whole(&dir.path().join("audit.jsonl"), 100);
}

#[tokio::test]
async fn a_last_record_cut_at_any_byte_is_cut_off_and_said() {
    let (dir, path) = trail(2).await;
    let content = fs::read(&path).unwrap();
    let kept = content[..content.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for cut in kept..content.len() {
        fs::write(&path, &content[..cut]).unwrap();
        if cut > kept {
            let (records, problem) = problem(&path);
            let torn = if cut - kept == 1 { "1 byte at".to_owned() } else { format!("{} bytes at", cut - kept) };
            assert!(records == 1 && problem.starts_with(&format!("line 2: {torn} the end")), "{problem}");
            assert!(problem.contains("audit record 1 was being written"), "{problem}");
            assert!(problem.contains("nothing was done on the strength of it"), "{problem}");
            let found = query_audit(&path, &Query::default()).unwrap();
            assert_eq!((found.records.len(), found.torn_bytes), (1, (cut - kept) as u64));
        }
        assert_eq!(fs::read(&path).unwrap(), content[..cut], "it is looked at, and not mended");
        let audit = FileAudit::open(dir.path()).unwrap();
        assert_eq!(audit.cut_bytes(), (cut - kept) as u64);
        audit.append(&record(1)).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), content, "cut at {cut}");
    }
}

#[tokio::test]
async fn a_record_that_another_process_left_torn_is_cut_off() {
    let (dir, path) = trail(1).await;
    let audit = FileAudit::open(dir.path()).unwrap();
    let mut content = fs::read(&path).unwrap();
    content.extend_from_slice(b"{\"v\":1,");
    fs::write(&path, content).unwrap();
    audit.append(&record(1)).await.unwrap();
    assert_eq!(audit.cut_bytes(), 7);
    assert_whole(&path, 2);
}

#[tokio::test]
async fn what_was_changed_is_found() {
    let (dir, path) = trail(3).await;
    let content = fs::read_to_string(&path).unwrap();
    let [a, b, c] = content.lines().collect::<Vec<_>>()[..] else { panic!("{content}") };
    for (what, changed, says) in [
        ("a record", content.replace("web1", "web9"), "audit record 1"),
        ("a removed line", format!("{a}\n{c}\n"), "audit record 1"),
        ("exchanged lines", format!("{b}\n{a}\n{c}\n"), "audit record 0"),
        ("garbage", format!("{a}\nx\n{c}\n"), "audit record 1"),
    ] {
        assert_ne!(changed, content);
        fs::write(&path, changed).unwrap();
        let (records, problem) = problem(&path);
        assert!(problem.starts_with(&format!("line {}: {says}", records + 1)), "{what}: {problem}");
        let error = query_audit(&path, &Query::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Audit, "{what}");
        assert!(error.message().ends_with(&problem) && error.message().contains("audit.jsonl"), "{what}: {error}");
    }
    fs::write(&path, content.replace("web2", "web9")).unwrap();
    assert_eq!(FileAudit::open(dir.path()).unwrap_err().kind(), ErrorKind::Audit);
    assert_eq!(verify_audit(&dir.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(query_audit(&dir.path().join("none"), &Query::default()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(verify_audit(dir.path()).unwrap_err().kind(), ErrorKind::Audit, "a folder cannot be read");
}

#[tokio::test]
async fn any_byte_that_is_flipped_is_found() {
    let (_dir, path) = trail(2).await;
    let content = fs::read(&path).unwrap();
    for at in 0..content.len() {
        for bit in [1, 0x20] {
            let mut flipped = content.clone();
            flipped[at] ^= bit;
            fs::write(&path, &flipped).unwrap();
            let (records, _) = problem(&path);
            assert!(records < 2, "byte {at}");
        }
    }
    fs::write(&path, &content).unwrap();
    assert_whole(&path, 2);
}

#[tokio::test]
async fn a_line_is_not_read_without_end() {
    let (_dir, path) = trail(1).await;
    let content = fs::read(&path).unwrap();
    let longest = [&content[..], &vec![b'x'; MAX_LINE], b"\n"].concat();
    fs::write(&path, longest).unwrap();
    assert!(problem(&path).1.starts_with("line 2: audit record 1: it is no JSON"));
    for rest in [&b"\n"[..], b"x\n"] {
        let longer = [&content[..], &vec![b'x'; MAX_LINE + 1], rest].concat();
        fs::write(&path, longer).unwrap();
        let (records, problem) = problem(&path);
        assert!(records == 1 && problem.starts_with("line 2: audit record 1: the line is longer"), "{problem}");
    }
}

#[tokio::test]
async fn what_could_not_be_read_again_is_not_written() {
    let (dir, path) = trail(1).await;
    let audit = FileAudit::open(dir.path()).unwrap();
    let mut long = record(1);
    long.actor.reason = Some("x".repeat(MAX_LINE));
    let error = audit.append(&long).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Audit && error.message().contains("shorten the reason"), "{error}");
    audit.append(&record(1)).await.unwrap();
    assert_whole(&path, 2);
}

#[tokio::test]
async fn a_trail_is_read_while_it_is_written() {
    let (dir, path) = trail(50).await;
    let audit = FileAudit::open(dir.path()).unwrap();
    let writer = tokio::spawn(async move {
        for step in 50..100 {
            audit.append(&record(step)).await.unwrap();
        }
    });
    let mut last = 0;
    while !writer.is_finished() {
        let verdict = verify_audit(&path).unwrap();
        assert!(verdict.whole && verdict.records >= last, "{verdict:?}");
        last = verdict.records;
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    assert_whole(&path, 100);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_pipe_is_read_to_its_end() {
    let (dir, path) = trail(2).await;
    let content = fs::read(&path).unwrap();
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (cut, records) in [(0, 2), (1, 1)] {
        let (writer, given) = (pipe.clone(), content[..content.len() - cut].to_vec());
        let writer = std::thread::spawn(move || fs::write(writer, given).unwrap());
        let verdict = verify_audit(&pipe).unwrap();
        writer.join().unwrap();
        assert_eq!((verdict.records, verdict.whole), (records, cut == 0), "{verdict:?}");
    }
}

#[tokio::test]
async fn a_trail_that_shrank_or_forked_takes_no_more() {
    let (dir, path) = trail(2).await;
    let content = fs::read_to_string(&path).unwrap();
    let audit = FileAudit::open(dir.path()).unwrap();
    let first = content.lines().next().unwrap();
    for changed in [String::new(), format!("{first}\n"), format!("{content}{first}\n")] {
        fs::write(&path, &changed).unwrap();
        assert_eq!(audit.append(&record(2)).await.unwrap_err().kind(), ErrorKind::Audit);
        assert_eq!(fs::read_to_string(&path).unwrap(), changed);
    }
    fs::write(&path, &content).unwrap();
    audit.append(&record(2)).await.unwrap();
    assert_whole(&path, 3);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_acknowledges_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let audit = FileAudit::open(dir.path()).unwrap();
    let error = audit.append(&record(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Audit);
    assert!(error.message().contains("No space left"), "{error}");
    conformance::audit_sink::check_failing(&audit, Vec::new).await;
    // Once there is room it goes on with the first record: the lost one is not in the chain.
    fs::remove_file(&path).unwrap();
    audit.append(&record(0)).await.unwrap();
    assert_whole(&path, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, path) = trail(1).await;
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}
