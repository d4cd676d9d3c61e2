//! The state diagram in `docs/rotation.md` is drawn from rotations that the machine has run.

use std::collections::BTreeSet;
use std::time::Duration;

use super::mini_stage::{Stage as Play, Turn};
use super::mini_world::{Fault, World, actor};
use super::{Ending, Stage, State};
use crate::credential::{Account, Way};
use crate::journal::{End, Event, StackPatch};
use crate::plan::{Content, Strategy};

const PAGE: &str = include_str!("../../../docs/rotation.md");
const BEGIN: &str = "<!-- the state diagram, from swarmsecrets-core/src/rotation/diagram_tests.rs -->\n";
const END: &str = "<!-- end of the state diagram -->\n";

fn plan(strategy: Strategy, way: Option<Way>) -> impl Fn(&mut Content) {
    move |content| {
        content.strategy = strategy;
        content.secrets[0].credential = way.map(|way| Account::new("made-up", "app", way));
    }
}

/// What somebody does to a rotation that was resumed.
const TURNS: [fn(&mut Play); 4] = [
    |_| {},
    |play| drop(play.rotation.interrupt()),
    |play| drop(play.rotation.roll_back("a person says so")),
    |play| drop(play.rotation.close("a person says so")),
];

/// Rotations that are crashed, resumed and turned round after each of their entries.
fn plays() -> Vec<Vec<Event>> {
    let two = Some(Way::HoldsTwo);
    let mut journals = vec![taken()];
    journals.extend(lost());
    for (strategy, way) in [(Strategy::Swap, None), (Strategy::Overlap, two), (Strategy::Revoke, two)] {
        for (consumers, breaking) in [(0, None), (2, None), (2, Some(1))] {
            for (at, turn) in (1..40).flat_map(|at| TURNS.map(|turn| (at, turn))) {
                let world = World::new(consumers, breaking);
                let plan = world.plan_as(Duration::ZERO, plan(strategy, way));
                let mut play = Play::of(world, plan);
                if matches!(play.run(|_, _| Fault::None, |n, _| n == at), Turn::Crashed) {
                    play.restart();
                    turn(&mut play);
                }
                play.finish();
                journals.push(play.journal);
            }
        }
    }
    journals.extend(awaiting_a_patch());
    journals
}

/// The name of the new version is somebody else's.
fn taken() -> Vec<Event> {
    let mut world = World::new(1, None);
    let theirs = super::FoundVersion { id: "theirs".parse().unwrap(), rotation: None, owner: None };
    world.secrets.insert("db_v2".into(), theirs);
    let mut play = Play::new(world, Duration::ZERO);
    play.finish();
    play.journal
}

/// Somebody has removed the old version, or both, and then it is to be undone.
fn lost() -> [Vec<Event>; 2] {
    [&["db"][..], &["db", "db_v2"]].map(|removed| {
        let mut play = Play::new(World::new(0, None), Duration::from_secs(3600));
        play.finish();
        play.world.secrets.retain(|name, _| !removed.contains(&name.as_str()));
        play.restart();
        play.rotation.roll_back("a person says so").unwrap();
        play.finish();
        play.journal
    })
}

/// There are no stacks in the small world: one is put into the journal where the machine would have written it.
fn awaiting_a_patch() -> impl Iterator<Item = Vec<Event>> {
    let waits = |way: Option<Way>| {
        let world = World::new(1, None);
        let strategy = if way.is_some() { Strategy::Overlap } else { Strategy::Swap };
        let plan = world.plan_as(Duration::ZERO, plan(strategy, way));
        let mut play = Play::of(world, plan);
        play.finish();
        let settled = play.journal.iter().position(|e| matches!(e, Event::Settled { .. })).unwrap();
        let patch = StackPatch { name: "shop".into(), kind: "git".into(), patch: None, reason: None };
        play.journal.insert(settled, Event::Settled { stacks: vec![patch], notes: Vec::new() });
        let mut undone = play.journal[..=settled].to_vec();
        undone.push(Event::Resumed { actor: actor() });
        undone.push(Event::UndoBegun { reason: "a person says so".into() });
        [play.journal, undone]
    };
    [None, Some(Way::HoldsTwo)].into_iter().flat_map(waits)
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Prepare => "Prepare",
        Stage::Credential => "Credential",
        Stage::Update => "Update",
        Stage::Settle => "Settle",
        Stage::AwaitPatch => "AwaitPatch",
        Stage::Close => "Close",
        Stage::Grace => "Grace",
        Stage::Undo => "Undo",
        Stage::Ended(Ending::Complete) => "Complete",
        Stage::Ended(Ending::Stopped(End::NotStarted)) => "NotStarted",
        Stage::Ended(Ending::Stopped(End::RolledBack)) => "RolledBack",
        Stage::Ended(Ending::Stopped(End::Conflict)) => "Conflict",
        Stage::Ended(Ending::Stopped(End::NeedsHuman)) => "NeedsHuman",
        Stage::Ended(Ending::Stopped(End::Closed)) => "Closed",
    }
}

/// What a journal calls an event.
fn word(event: &Event) -> String {
    serde_json::to_value(event).unwrap()["type"].as_str().unwrap().replace('_', " ")
}

/// The ways between stages that these rotations took.
fn diagram(journals: &[Vec<Event>]) -> String {
    let mut ways = BTreeSet::new();
    let mut ends = BTreeSet::new();
    for journal in journals {
        let mut state = State::begin(&journal[0]).unwrap();
        for event in &journal[1..] {
            let before = state.stage;
            state.apply(event).unwrap();
            if before != state.stage {
                ways.insert((name(before), name(state.stage), word(event)));
            }
            if matches!(state.stage, Stage::Ended(_)) {
                ends.insert(name(state.stage));
            }
        }
    }
    let mut text = String::from("```mermaid\nstateDiagram-v2\n    [*] --> Prepare\n");
    for (from, to, event) in ways {
        text += &format!("    {from} --> {to}: {event}\n");
    }
    for end in ends {
        text += &format!("    {end} --> [*]\n");
    }
    text + "```\n"
}

#[test]
fn the_page_shows_the_ways_that_rotations_take() {
    let shown = PAGE.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(shown, _)| shown);
    let drawn = diagram(&plays());
    assert!(shown == Some(&*drawn), "docs/rotation.md should show, between {BEGIN} and {END}:\n{drawn}");
}
