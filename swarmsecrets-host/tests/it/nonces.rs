//! Nonces: each is spent once, by whichever thread or process, and time does not go back.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};

use jiff::Timestamp;
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::approval::Nonces;
use swarmsecrets_core::ids::Nonce;
use swarmsecrets_host::FileNonces;

/// Where the process below finds the folder.
const FOLDER: &str = "SWARMSECRETS_TEST_NONCES";

fn nonce(n: u8) -> Nonce {
    Nonce::from_random([n; 32])
}

fn at(time: &str) -> Timestamp {
    format!("2026-05-07T{time}Z").parse().unwrap()
}

#[tokio::test]
async fn files_keep_their_promises() {
    let dir = tempfile::tempdir().unwrap();
    swarmsecrets_testkit::conformance::nonces::check(|| FileNonces::open(dir.path()).unwrap()).await;
}

#[tokio::test]
async fn a_nonce_is_spent_once_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let nonces = FileNonces::open(dir.path()).unwrap();
    nonces.spend(&nonce(1), at("12:30:00")).await.unwrap();
    for again in [nonces, FileNonces::open(dir.path()).unwrap()] {
        let error = again.spend(&nonce(1), at("12:30:00")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(
            error.message(),
            "the approval was used before, and is good for one use: make another change request"
        );
    }
    FileNonces::open(dir.path()).unwrap().spend(&nonce(2), at("12:30:00")).await.unwrap();
    let file = dir.path().join("nonces").join(nonce(1).as_str());
    assert_eq!(fs::read_to_string(file).unwrap(), "2026-05-07T12:30:00Z\n");
}

#[test]
fn of_many_threads_at_once_one_spends_it() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let start = Arc::new(Barrier::new(8));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (start, nonces) = (Arc::clone(&start), FileNonces::open(dir.path()).unwrap());
                std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    start.wait();
                    runtime.block_on(nonces.spend(&nonce(round), at("12:30:00")))
                })
            })
            .collect();
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        let lost = results.into_iter().filter_map(Result::err);
        assert!(lost.map(|error| error.kind()).all(|kind| kind == ErrorKind::Conflict));
    }
}

/// Not a test by itself: what the processes below run.
#[tokio::test]
#[ignore = "run by the test below, in other processes"]
async fn spends_one() {
    let nonces = FileNonces::open(Path::new(&std::env::var_os(FOLDER).unwrap())).unwrap();
    let spent = nonces.spend(&nonce(1), at("12:30:00")).await;
    println!("spent={}", spent.map_or_else(|error| error.kind().to_string(), |()| "ok".to_owned()));
}

#[test]
fn of_many_processes_at_once_one_spends_it() {
    let dir = tempfile::tempdir().unwrap();
    let begin = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "nonces::spends_one", "--ignored", "--nocapture"]);
        command.env(FOLDER, dir.path()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let processes: Vec<_> = (0..6).map(|_| begin()).collect();
    let told: Vec<String> = processes
        .into_iter()
        .map(|process| String::from_utf8(process.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    let count = |what: &str| told.iter().filter(|text| text.contains(what)).count();
    assert_eq!((count("spent=ok"), count("spent=conflict")), (1, 5), "{told:?}");
}

#[tokio::test]
async fn a_clock_that_is_set_back_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let nonces = FileNonces::open(dir.path()).unwrap();
    for (now, latest) in [("12:00:00", "12:00:00"), ("11:00:00", "12:00:00"), ("12:00:01", "12:00:01")] {
        assert_eq!(nonces.latest(at(now)).await.unwrap(), at(latest));
        let anew = FileNonces::open(dir.path()).unwrap();
        assert_eq!(anew.latest(at("00:00:00")).await.unwrap(), at(latest), "it outlasts the process");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_at_once_the_latest_time_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut tasks = Vec::new();
    for second in 0..20 {
        let nonces = FileNonces::open(dir.path()).unwrap();
        tasks.push(tokio::spawn(async move {
            let now = at(&format!("12:00:{second:02}"));
            assert!(nonces.latest(now).await.unwrap() >= now);
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let nonces = FileNonces::open(dir.path()).unwrap();
    assert_eq!(nonces.latest(at("00:00:00")).await.unwrap(), at("12:00:19"));
}

#[tokio::test]
async fn a_time_that_was_damaged_is_not_guessed_at() {
    let dir = tempfile::tempdir().unwrap();
    let nonces = FileNonces::open(dir.path()).unwrap();
    let path = dir.path().join("nonces/latest");
    for damaged in ["", "2026-05-07T12:0", "yesterday\n", &"1".repeat(100)] {
        fs::write(&path, damaged).unwrap();
        let error = nonces.latest(at("12:00:00")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().contains("nonces/latest"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_or_write_them() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let nonces = FileNonces::open(&dir.path().join("state")).unwrap();
    nonces.spend(&nonce(1), at("12:30:00")).await.unwrap();
    nonces.latest(at("12:00:00")).await.unwrap();
    let folder = dir.path().join("state/nonces");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_that_is_gone_lets_nothing_through() {
    let dir = tempfile::tempdir().unwrap();
    let nonces = FileNonces::open(dir.path()).unwrap();
    fs::remove_dir_all(dir.path().join("nonces")).unwrap();
    assert_eq!(nonces.spend(&nonce(1), at("12:30:00")).await.unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(nonces.latest(at("12:00:00")).await.unwrap_err().kind(), ErrorKind::Io);
}
