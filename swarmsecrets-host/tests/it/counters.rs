//! What limits count, on a real disk: restarts, several at once, processes that die, damage.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::SignedDuration;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::policy::{Beginning, Counters, Held, Rate, Tally};
use swarmsecrets_core::{ErrorKind, Result};
use swarmsecrets_host::FileCounters;

/// Where the process below finds the folder.
const FOLDER: &str = "SWARMSECRETS_TEST_COUNTERS";
const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);

fn beginning(n: u8, at_most: Option<u32>, at_once: Option<u32>) -> Beginning {
    Beginning {
        rotation: RotationId::from_random([n; 10]),
        now: "2026-05-07T12:00:00Z".parse().unwrap(),
        simulated: false,
        tallies: vec![Tally {
            limit: "l".into(),
            reason: "made up".into(),
            whose: String::new(),
            secrets: 1,
            rate: at_most.map(|at_most| Rate { at_most, per: HOUR }),
            at_once,
        }],
    }
}

fn counters(dir: &Path) -> FileCounters {
    FileCounters::new(dir)
}

async fn begin(dir: &Path, beginning: Beginning) -> Result<Box<dyn Held>> {
    counters(dir).begin(beginning).await
}

fn denied(result: Result<Box<dyn Held>>) {
    assert_eq!(result.err().unwrap().kind(), ErrorKind::Denied);
}

#[tokio::test]
async fn what_was_counted_outlasts_the_process_and_a_clock_that_is_set_back() {
    let dir = tempfile::tempdir().unwrap();
    drop(begin(dir.path(), beginning(1, Some(1), None)).await.unwrap());
    let at = |hours: i64| {
        let two = beginning(2, Some(1), None);
        Beginning { now: two.now + SignedDuration::from_hours(hours), ..two }
    };
    denied(begin(dir.path(), at(0)).await);
    denied(begin(dir.path(), at(-24)).await);
    let ahead = Beginning { tallies: Vec::new(), ..at(9) };
    begin(dir.path(), ahead).await.unwrap().keep().await.unwrap();
    begin(dir.path(), at(0)).await.unwrap().keep().await.unwrap();
    denied(begin(dir.path(), Beginning { rotation: RotationId::from_random([3; 10]), ..at(9) }).await);
}

#[tokio::test]
async fn a_place_that_is_dropped_before_it_is_kept_is_free_and_one_that_is_kept_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let first = begin(dir.path(), beginning(1, None, Some(1))).await.unwrap();
    denied(begin(dir.path(), beginning(2, None, Some(1))).await);
    drop(first);
    begin(dir.path(), beginning(2, None, Some(1))).await.unwrap().keep().await.unwrap();
    denied(begin(dir.path(), beginning(3, None, Some(1))).await);
    let two = RotationId::from_random([2; 10]);
    counters(dir.path()).end(&two, false).await.unwrap();
    counters(dir.path()).end(&two, false).await.unwrap();
    let third = begin(dir.path(), beginning(3, None, Some(1))).await.unwrap();
    let files = || fs::read_dir(dir.path().join("limits")).unwrap().count();
    assert_eq!(files(), 3, "the counts, their lock, and that of the one that is about to begin");
    third.keep().await.unwrap();
    assert_eq!(files(), 2);
}

#[tokio::test]
async fn simulations_are_counted_apart_and_whoever_ends_without_a_count_makes_no_folder() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere");
    counters(&nowhere).end(&RotationId::from_random([1; 10]), false).await.unwrap();
    assert!(!nowhere.exists());
    let simulated = |n| Beginning { simulated: true, ..beginning(n, Some(1), None) };
    drop(begin(dir.path(), simulated(1)).await.unwrap());
    denied(begin(dir.path(), simulated(2)).await);
    drop(begin(dir.path(), beginning(2, Some(1), None)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_as_many_begin_as_there_is_room_for() {
    let dir = tempfile::tempdir().unwrap();
    let begun: Vec<_> = (0..20)
        .map(|n| {
            let dir = dir.path().to_owned();
            tokio::spawn(async move { begin(&dir, beginning(n, Some(7), None)).await.is_ok() })
        })
        .collect();
    let mut count = 0;
    for one in begun {
        count += u32::from(one.await.unwrap());
    }
    assert_eq!(count, 7);
}

/// Not a test by itself: what the process below runs until it is killed.
#[tokio::test]
#[ignore = "run by the test below, in another process"]
async fn holds_a_place() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let _place = begin(Path::new(&folder), beginning(1, Some(3), Some(1))).await.unwrap();
    println!("holding");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_process_that_is_killed_before_it_began_leaves_its_count_and_no_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "counters::holds_a_place", "--ignored", "--nocapture"]).env(FOLDER, dir.path());
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    assert!(said.any(|line| line.contains("holding")));
    denied(begin(dir.path(), beginning(2, Some(3), Some(1))).await);
    process.kill().unwrap();
    process.wait().unwrap();
    begin(dir.path(), beginning(2, Some(3), Some(1))).await.unwrap().keep().await.unwrap();
    counters(dir.path()).end(&RotationId::from_random([2; 10]), false).await.unwrap();
    denied(begin(dir.path(), beginning(3, Some(2), None)).await);
}

#[tokio::test]
async fn damage_is_not_taken_for_nothing_counted() {
    let dir = tempfile::tempdir().unwrap();
    drop(begin(dir.path(), beginning(1, Some(9), None)).await.unwrap());
    let path = dir.path().join("limits/counts.json");
    let whole = fs::read_to_string(&path).unwrap();
    for damaged in ["", "{}", &whole[..whole.len() / 2]] {
        fs::write(&path, damaged).unwrap();
        let error = begin(dir.path(), beginning(2, Some(9), None)).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().contains("limits/counts.json"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_or_write_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    begin(&dir.path().join("state"), beginning(1, Some(1), None)).await.unwrap().keep().await.unwrap();
    let mode = |path: &str| fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode("state/limits"), mode("state/limits/counts.json"), mode("state/limits/counts.lock")),
        (0o700, 0o600, 0o600)
    );
}
