//! Which values secrets have had, on a real disk: restarts, several at once, processes that die, damage.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::policy::{KnownValue, PastValues, ValuesOf};
use swarmsecrets_core::{ErrorKind, Result};
use swarmsecrets_host::FilePast;

/// Where the processes below find the folder, and which rotations are theirs.
const FOLDER: &str = "SWARMSECRETS_TEST_PAST";
const WHOSE: &str = "SWARMSECRETS_TEST_PAST_WHOSE";

fn of(secret: &str) -> ValuesOf {
    ValuesOf { cluster: "swarm-1".into(), secret: secret.into(), simulated: false }
}

fn id(a: u8, b: u8) -> RotationId {
    RotationId::from_random([a, b, 0, 0, 0, 0, 0, 0, 0, 0])
}

fn known(n: u32) -> KnownValue {
    KnownValue { key: "k".into(), fingerprint: format!("hmac-sha256:{n:064}") }
}

async fn remember(dir: &Path, secret: &str, rotation: u8, value: u32) -> Result<()> {
    FilePast::new(dir).remember(&of(secret), &id(rotation, 0), known(value), 100).await
}

fn page(dir: &Path) -> PathBuf {
    dir.join(format!("values/{}.json", of("db").digest()))
}

#[tokio::test]
async fn what_a_secret_had_outlasts_the_process_and_is_its_own() {
    let dir = tempfile::tempdir().unwrap();
    remember(dir.path(), "db", 1, 7).await.unwrap();
    remember(dir.path(), "db", 1, 7).await.unwrap();
    let error = remember(dir.path(), "db", 2, 7).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(!error.to_string().contains("hmac"), "{error}");
    remember(dir.path(), "key", 2, 7).await.unwrap();
    let simulated = ValuesOf { simulated: true, ..of("db") };
    FilePast::new(dir.path()).remember(&simulated, &id(2, 0), known(7), 100).await.unwrap();
    assert!(dir.path().join("simulated/values").is_dir());
    FilePast::new(dir.path()).forget(&of("db"), &id(1, 0)).await.unwrap();
    remember(dir.path(), "db", 2, 7).await.unwrap();
    assert!(FilePast::new(dir.path()).past(&of("db")).await.unwrap().holds(&known(7), 1, None));
}

#[tokio::test]
async fn whoever_only_asks_or_forgets_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere");
    let past = FilePast::new(&nowhere);
    assert!(!past.past(&of("db")).await.unwrap().holds(&known(1), 100, None));
    past.forget(&of("db"), &id(1, 0)).await.unwrap();
    assert!(!nowhere.exists());
}

/// Not a test by itself: what the processes below run until they are killed.
#[tokio::test]
#[ignore = "run by the test below, in other processes"]
async fn remembers_one_after_the_other() {
    let (folder, whose) = (std::env::var_os(FOLDER).unwrap(), std::env::var(WHOSE).unwrap());
    let whose: u8 = whose.parse().unwrap();
    for n in 0..20_u8 {
        let value = known(u32::from(whose) * 1000 + u32::from(n));
        FilePast::new(&folder).remember(&of("db"), &id(whose, n), value, 100).await.unwrap();
        println!("remembered {n}");
    }
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn of_many_processes_at_once_none_is_lost_and_what_was_said_to_be_remembered_is_though_they_are_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut processes: Vec<_> = (0..4_u8)
        .map(|whose| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "past::remembers_one_after_the_other", "--ignored", "--nocapture"]);
            command.env(FOLDER, dir.path()).env(WHOSE, whose.to_string()).stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    // Two come to their end, the others are killed somewhere on the way.
    let said: Vec<u8> = std::thread::scope(|scope| {
        let until = |n: usize| if n < 2 { 19 } else { 5 + u8::try_from(n).unwrap() };
        let threads: Vec<_> = processes
            .iter_mut()
            .enumerate()
            .map(|(n, process)| {
                scope.spawn(move || {
                    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(|line| line.unwrap());
                    let word = format!("remembered {}", until(n));
                    assert!(lines.any(|line| line.ends_with(&word)));
                    process.kill().unwrap();
                    process.wait().unwrap();
                    until(n)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let past = FilePast::new(dir.path()).past(&of("db")).await.unwrap();
    for (whose, last) in said.into_iter().enumerate() {
        for n in 0..=u32::from(last) {
            let value = known(u32::try_from(whose).unwrap() * 1000 + n);
            assert!(past.holds(&value, 100, None), "{whose} {n}");
        }
    }
    remember(dir.path(), "db", 99, 999_999).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_give_one_value_at_the_same_time_one_succeeds() {
    let dir = tempfile::tempdir().unwrap();
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let dir = dir.path().to_owned();
            tokio::spawn(async move { remember(&dir, "db", n, 7).await.is_ok() })
        })
        .collect();
    let mut count = 0;
    for task in tasks {
        count += u32::from(task.await.unwrap());
    }
    assert_eq!(count, 1);
}

#[tokio::test]
async fn damage_is_not_taken_for_nothing_remembered() {
    let dir = tempfile::tempdir().unwrap();
    remember(dir.path(), "db", 1, 7).await.unwrap();
    let path = page(dir.path());
    let whole = fs::read_to_string(&path).unwrap();
    let others = whole.replace("\"db\"", "\"key\"");
    for damaged in ["", "{}", &whole[..whole.len() / 2], &others] {
        fs::write(&path, damaged).unwrap();
        for error in [
            remember(dir.path(), "db", 2, 8).await.unwrap_err(),
            FilePast::new(dir.path()).past(&of("db")).await.unwrap_err(),
            FilePast::new(dir.path()).forget(&of("db"), &id(1, 0)).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Io);
            assert!(error.message().contains("values/") && error.message().contains("`db`"), "{error}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
    }
    // What a crash left of a file that was being written is in nobody's way.
    fs::write(&path, &whole).unwrap();
    fs::write(path.with_file_name(".half.tmp"), "{").unwrap();
    remember(dir.path(), "db", 2, 8).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_or_write_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    remember(&dir.path().join("state"), "db", 1, 7).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let state = dir.path().join("state");
    assert_eq!((mode(&state.join("values")), mode(&page(&state))), (0o700, 0o600));
    assert_eq!(mode(&state.join("values/values.lock")), 0o600);
}
