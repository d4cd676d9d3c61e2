//! Limits of a policy, against an agent that tries again and again, restarts, and points elsewhere.

use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::command::{Place, Run};
use crate::served::Served;

fn place(limits: &str) -> Place {
    let place = Place::new();
    counted_in(&place.path("state"), &place, limits);
    place
}

/// A policy whose counts lie in this folder.
fn counted_in(state: &Path, place: &Place, limits: &str) {
    let text = format!("schema = 1\nphase = 'automated'\nstate = '{}'\n{limits}", state.display());
    std::fs::write(place.path("policy.toml"), text).unwrap();
}

const THREE_A_YEAR: &str = "[[limits]]\nname = 'agents'\nreason = 'agents go slowly'\nat_most = 3\nper = '365d'\nselect = { agents = ['*'] }\n";
const ONE_AT_ONCE: &str = "[[limits]]\nname = 'one'\nreason = 'one thing after another'\nat_once = 1\n";

fn rotate(place: &Place, agent: &str, journal: &str) -> Run {
    let who = if agent.is_empty() { String::new() } else { format!(" --agent-id {agent}") };
    place.sim(&format!(
        "rotate report_password --generate length=32 --grace 0s --yes --json --policy policy.toml --journal {journal}{who}"
    ))
}

#[test]
fn an_agent_that_begins_again_and_again_in_new_processes_is_held_to_its_rate() {
    let place = place(THREE_A_YEAR);
    let runs: Vec<Run> = (0..30).map(|_| rotate(&place, "agent-7", "journal")).collect();
    let codes: Vec<i32> = runs.iter().map(|run| run.code).collect();
    assert_eq!((&codes[..3], codes[3..].iter().all(|code| *code == 3)), (&[0, 0, 0][..], true), "{codes:?}");
    let last = runs.last().unwrap().json();
    assert_eq!(last["outcome"], "denied");
    let said = last["warnings"][0].as_str().unwrap();
    assert!(said.contains("agents go slowly (limit `agents`)") && said.contains("there is room again at "), "{said}");
    // Neither a fresh journal nor another name makes room, nor does a journal that is gone.
    rotate(&place, "agent-7", "fresh").code(3);
    rotate(&place, "agent-8", "fresh-too").code(3);
    std::fs::remove_dir_all(place.path("journal")).unwrap();
    rotate(&place, "agent-7", "journal").code(3);
    // It is told like every refusal, and people are not meant.
    let told = place.run("audit query fresh/audit.jsonl --outcome refused --json").code(0);
    assert!(told.stdout.contains("limit `agents`"), "{told:?}");
    rotate(&place, "", "journal").code(0);
}

#[test]
fn of_many_processes_that_take_the_last_room_one_gets_it() {
    let shared = tempfile::tempdir().unwrap();
    let limits = THREE_A_YEAR.replace("at_most = 3", "at_most = 1");
    let run = || {
        let place = Place::new();
        counted_in(shared.path(), &place, &limits);
        rotate(&place, "agent-7", "journal").code
    };
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(
        (codes.iter().filter(|code| **code == 0).count(), codes.iter().filter(|code| **code == 3).count()),
        (1, 5)
    );
}

#[test]
fn what_is_in_hand_is_in_the_way_also_where_its_process_was_killed_until_it_ends() {
    let place = place(ONE_AT_ONCE);
    let served = Served::start(&place);
    let line =
        "rotate db_password --generate length=32 --stability 60s --yes --json --policy policy.toml --journal journal";
    let mut first = served.spawn(&place, line);
    let mut said = BufReader::new(first.stderr.take().unwrap()).lines().map(|line| line.unwrap());
    assert!(said.any(|line| line.contains("updating")), "the first service was never begun");
    let second = "rotate report_password --generate length=32 --stability 1s --yes --json --policy policy.toml";
    let refused = served.run(&place, "admin", &format!("{second} --journal other")).code(3).json();
    let said = refused["warnings"][0].as_str().unwrap().to_owned();
    assert!(said.contains("one thing after another (limit `one`): at most 1 may be in hand at once"), "{said}");
    first.kill().unwrap();
    first.wait().unwrap();
    served.run(&place, "admin", &format!("{second} --journal other")).code(3);
    let id = said.split('`').find(|word| word.starts_with("r-")).unwrap();
    let close = format!("close {id} --reason seen-to --yes --json --policy policy.toml --journal journal");
    served.run(&place, "admin", &close).code(0);
    served.run(&place, "admin", &format!("{second} --journal other")).code(0);
    // What is in its grace is not in hand.
    served.run(&place, "admin", &format!("{second} --journal other")).code(0);
}

#[test]
fn limits_without_a_folder_are_refused_and_explained_with_one() {
    let place = place(THREE_A_YEAR);
    std::fs::write(place.path("bad.toml"), format!("schema = 1\n{THREE_A_YEAR}")).unwrap();
    let _ = place.run("policy check bad.toml").code(2).says("name it at the top of the file, as in `state = ");
    let line = "policy explain report_password --policy policy.toml --agent-id agent-7";
    let said = place.sim(&format!("{line} --json")).code(0).json();
    assert_eq!(said["policies"][0]["limits"][0], "limit `agents`: at most 3 in 365d");
    assert!(place.sim(line).code(0).stdout.contains("  limit `agents`: at most 3 in 365d\n"));
    let person = place.sim("policy explain report_password --policy policy.toml --json").code(0).json();
    assert_eq!(person["policies"][0]["limits"], serde_json::json!([]));
    assert!(!place.path("state").exists(), "whoever only asks leaves nothing behind");
}
