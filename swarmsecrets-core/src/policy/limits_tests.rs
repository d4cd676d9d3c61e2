//! Limits: what they count, how much room they leave, and what they say.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::test_zones::zones;
use super::{Act, Action, Beginning, Ledger, Policy, Tally};
use crate::ErrorKind;
use crate::ids::{EnvironmentId, RotationId};
use crate::inventory::Labels;

fn policy(limits: &str) -> Policy {
    Policy::parse(&format!("schema = 1\nphase = 'automated'\nstate = '/s'\n{limits}"), &zones()).unwrap()
}

fn limit(more: &str) -> String {
    format!("[[limits]]\nname = 'slowly'\nreason = 'one thing after another'\n{more}\n")
}

fn act<'a>(secret: &'a str, agent: Option<&'a str>, labels: &'a Labels) -> Act<'a> {
    Act {
        action: Action::Rotate,
        agent,
        environment: EnvironmentId(3),
        secret,
        versions: vec![(secret, labels)],
        services: Vec::new(),
        stacks: Vec::new(),
        owner: None,
    }
}

fn id(n: u8) -> RotationId {
    RotationId::from_random([n; 10])
}

/// So many seconds after the beginning.
fn at(seconds: i64) -> Timestamp {
    "2026-05-07T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

/// What a policy counts of the rotation of these secrets.
fn tallies(policy: &Policy, secrets: &[&str], agent: Option<&str>) -> Vec<Tally> {
    let none = Labels::new();
    let acts: Vec<Act<'_>> = secrets.iter().map(|secret| act(secret, agent, &none)).collect();
    policy.tallies(&acts.iter().collect::<Vec<_>>(), "swarm-1")
}

fn begin(ledger: &mut Ledger, n: u8, seconds: i64, tallies: Vec<Tally>) -> Result<(), String> {
    let beginning = Beginning { rotation: id(n), now: at(seconds), simulated: false, tallies };
    ledger.begin(&beginning, |_| true).map_err(|error| {
        assert_eq!(error.kind(), ErrorKind::Denied);
        error.message().to_owned()
    })
}

#[test]
fn of_so_many_in_so_much_time_the_next_one_waits_until_the_first_is_out_of_sight() {
    let policy = policy(&limit("at_most = 2\nper = '1h'"));
    let (mut ledger, one) = (Ledger::default(), || tallies(&policy, &["db"], None));
    begin(&mut ledger, 1, 0, one()).unwrap();
    begin(&mut ledger, 2, 600, one()).unwrap();
    let said = begin(&mut ledger, 3, 3599, one()).unwrap_err();
    assert!(said.ends_with("there is room again at 2026-05-07T13:00:00Z"), "{said}");
    begin(&mut ledger, 3, 3600, one()).unwrap();
    let said = begin(&mut ledger, 4, 3601, one()).unwrap_err();
    assert!(said.ends_with("there is room again at 2026-05-07T13:10:00Z"), "{said}");
    begin(&mut ledger, 3, 3602, one()).unwrap();
    assert!(begin(&mut ledger, 4, 3603, one()).is_err(), "one that is counted again is counted once");
}

#[test]
fn a_clock_that_is_set_back_makes_no_room_and_takes_none() {
    let policy = policy(&limit("at_most = 1\nper = '1h'"));
    let (mut ledger, one) = (Ledger::default(), || tallies(&policy, &["db"], None));
    begin(&mut ledger, 1, 7200, one()).unwrap();
    for back in [0, 3600, 7199, 7200 - 86_400] {
        let said = begin(&mut ledger, 2, back, one()).unwrap_err();
        assert!(said.ends_with("there is room again at 2026-05-07T15:00:00Z"), "{said}");
    }
    begin(&mut ledger, 2, 7200 + 3600, one()).unwrap();
    // Counted at the latest time that was seen, not at the one that the clock shows.
    let again = Ledger::from_json(&ledger.to_json().unwrap()).unwrap();
    assert_eq!(again, ledger);
    assert!(begin(&mut ledger, 3, 0, one()).unwrap_err().ends_with("2026-05-07T16:00:00Z"));
}

#[test]
fn each_secret_of_a_plan_counts_and_each_has_its_own_count_where_the_limit_says_so() {
    let (all, each) = (limit("at_most = 3\nper = '1h'"), limit("at_most = 1\nper = '1h'\nfor_each = 'secret'"));
    let (all, each) = (policy(&all), policy(&each));
    let mut ledger = Ledger::default();
    begin(&mut ledger, 1, 0, tallies(&all, &["a", "b"], None)).unwrap();
    assert!(begin(&mut ledger, 2, 0, tallies(&all, &["c", "d"], None)).is_err());
    begin(&mut ledger, 2, 0, tallies(&all, &["c"], None)).unwrap();
    let mut ledger = Ledger::default();
    begin(&mut ledger, 1, 0, tallies(&each, &["a", "b"], None)).unwrap();
    begin(&mut ledger, 2, 0, tallies(&each, &["c"], None)).unwrap();
    assert!(begin(&mut ledger, 3, 0, tallies(&each, &["d", "b"], None)).is_err());
    begin(&mut ledger, 4, 0, tallies(&each, &["d"], None)).unwrap();
}

#[test]
fn agents_and_environments_have_their_own_counts_and_whoever_names_no_agent_has_one_too() {
    let each = policy(&limit("at_most = 1\nper = '1h'\nfor_each = 'agent'"));
    let mut ledger = Ledger::default();
    for (n, agent) in [Some("agent-7"), Some("agent-8"), None].into_iter().enumerate() {
        let n = u8::try_from(n).unwrap();
        begin(&mut ledger, n, 0, tallies(&each, &["db"], agent)).unwrap();
        assert!(begin(&mut ledger, n + 10, 0, tallies(&each, &["key"], agent)).is_err());
    }
    let each = policy(&limit("at_once = 1\nfor_each = 'environment'"));
    let none = Labels::new();
    let mut ledger = Ledger::default();
    for (n, environment, cluster) in [(1, 3, "swarm-1"), (2, 4, "swarm-1"), (3, 3, "swarm-2")] {
        let act = Act { environment: EnvironmentId(environment), ..act("db", None, &none) };
        begin(&mut ledger, n, 0, each.tallies(&[&act], cluster)).unwrap();
        assert!(begin(&mut ledger, n + 10, 0, each.tallies(&[&act], cluster)).is_err());
    }
}

#[test]
fn a_rotation_is_in_hand_until_it_ends_or_until_its_process_dies_before_it_began() {
    let policy = policy(&limit("at_once = 1"));
    let one = |n: u8| Beginning {
        rotation: id(n),
        now: at(0),
        simulated: false,
        tallies: tallies(&policy, &["a", "b"], None),
    };
    let mut ledger = Ledger::default();
    ledger.begin(&one(1), |_| true).unwrap();
    assert!(ledger.begin(&one(2), |_| true).is_err());
    ledger.begin(&one(2), |alive| *alive != id(1)).unwrap();
    ledger.keep(&id(2));
    assert!(ledger.begin(&one(3), |_| false).is_err(), "what has begun is in hand, also where nobody carries it");
    assert!(!ledger.end(&id(1)) && ledger.end(&id(2)));
    ledger.begin(&one(3), |_| false).unwrap();
}

#[test]
fn limits_select_as_rules_do_and_say_what_they_are() {
    let text = limit("at_most = 5\nper = '90m'\nat_once = 2\nfor_each = 'agent'\nselect = { agents = ['agent-*'] }");
    let (policy, none) = (policy(&text), Labels::new());
    let said = |agent| policy.limits(&act("db", agent, &none)).map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(said(Some("agent-7")), ["limit `slowly`: at most 5 in 1h30m, 2 at once, for each agent"]);
    assert!(said(None).is_empty() && said(Some("other")).is_empty());
    assert!(tallies(&policy, &["db"], None).is_empty());
    assert_eq!(policy.to_string(), "phase automated, default allow, 1 limit");
    assert_eq!(policy.state(), Some("/s"));
}

#[test]
fn what_is_no_ledger_is_not_taken_for_an_empty_one() {
    for text in ["", "{}", "{\"schema\":2,\"ledger\":{\"latest\":null,\"begun\":[],\"in_hand\":[]}}", "{\"schema\":1}"]
    {
        assert_eq!(Ledger::from_json(text.as_bytes()).unwrap_err().kind(), ErrorKind::Io, "{text}");
    }
}

#[test]
fn what_limits_say() {
    let mut page = String::new();
    let mut say = |limits: &str, before: &[&[&str]], then: &[&str]| {
        let policy = policy(&limit(limits));
        let mut ledger = Ledger::default();
        for (n, secrets) in before.iter().enumerate() {
            let n = u8::try_from(n).unwrap();
            begin(&mut ledger, n, 60 * i64::from(n), tallies(&policy, secrets, Some("agent-7"))).unwrap();
        }
        let said = begin(&mut ledger, 99, 600, tallies(&policy, then, Some("agent-7"))).unwrap_err();
        page.push_str(&format!("{limits}\n    {said}\n\n"));
    };
    say("at_most = 2\nper = '1h'", &[&["a"], &["b"]], &["c"]);
    say("at_most = 3\nper = '7d'\nfor_each = 'agent'", &[&["a"], &["b"]], &["c", "d", "e"]);
    say("at_most = 1\nper = '1h'\nfor_each = 'secret'", &[&["a"]], &["a"]);
    say("at_most = 2\nper = '1h'\nfor_each = 'environment'", &[], &["a", "b", "c"]);
    say("at_once = 1", &[&["a"]], &["b"]);
    say("at_once = 4\nfor_each = 'agent'", &[&["a"], &["b"], &["c"], &["d"]], &["e"]);
    insta::assert_snapshot!(page);
}

/// Some limits, by numbers.
fn some_limits(drawn: &[(u32, u32, usize)]) -> Policy {
    let one = |(n, (at_most, per, each)): (usize, &(u32, u32, usize))| {
        let each = ["", "for_each = 'secret'\n", "for_each = 'agent'\n", "at_once = 2\n"][*each];
        format!("[[limits]]\nname = 'l{n}'\nreason = 'x'\nat_most = {at_most}\nper = '{per}s'\n{each}")
    };
    policy(&drawn.iter().enumerate().map(one).collect::<String>())
}

proptest! {
    #[test]
    fn a_limit_more_never_lets_more_begin(
        limits in proptest::collection::vec((1..5_u32, 1..100_u32, 0..4_usize), 1..5),
        begun in proptest::collection::vec((0..200_i64, 0..3_usize), 0..20),
    ) {
        const SECRETS: [&[&str]; 3] = [&["a"], &["b"], &["a", "b", "c"]];
        let (all, fewer) = (some_limits(&limits), some_limits(&limits[..limits.len() - 1]));
        let mut ledger = Ledger::default();
        for (n, (seconds, which)) in begun.into_iter().enumerate() {
            let n = u8::try_from(n).unwrap();
            let mut with_fewer = ledger.clone();
            let with_all = begin(&mut ledger, n, seconds, tallies(&all, SECRETS[which], Some("agent-7")));
            let with_fewer = begin(&mut with_fewer, n, seconds, tallies(&fewer, SECRETS[which], Some("agent-7")));
            prop_assert!(with_all.is_err() || with_fewer.is_ok());
        }
    }

    #[test]
    fn no_stretch_of_time_holds_more_than_the_limit_however_the_clock_runs(
        at_most in 1..5_u32,
        per in 1..60_u32,
        begun in proptest::collection::vec((-30..60_i64, 0..4_u32), 0..40),
    ) {
        let policy = some_limits(&[(at_most, per, 0)]);
        let (mut ledger, mut clock, mut latest) = (Ledger::default(), 0, i64::MIN);
        let mut let_begin: Vec<i64> = Vec::new();
        for (n, (step, count)) in begun.into_iter().enumerate() {
            clock += step;
            latest = latest.max(clock);
            let secrets: Vec<&str> = ["a", "b", "c"].into_iter().take(count as usize).collect();
            if begin(&mut ledger, u8::try_from(n).unwrap(), clock, tallies(&policy, &secrets, None)).is_ok() {
                let_begin.extend(secrets.iter().map(|_| latest));
            }
        }
        for end in &let_begin {
            let seen = let_begin.iter().filter(|at| **at <= *end && **at > *end - i64::from(per)).count();
            prop_assert!(seen <= at_most as usize, "{seen} in {per}s: {let_begin:?}");
        }
    }
}
