//! What is tried in a world, and what goes wrong: the schedule that a seed gives. Plain data, so that it can be cut.

use std::time::Duration;

use swarmsecrets_core::plan::Timing;

use super::scene::Scene;
use crate::portainer::WireFault;
use crate::sim::Dice;

/// A world and all that happens in it.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) scene: Scene,
    pub(super) rounds: Vec<Round>,
    pub(super) happenings: Vec<Happening>,
    /// Whether both processes keep their journals in one place.
    pub(super) one_journal: bool,
}

/// One or two processes do something at the same time.
#[derive(Clone, Debug)]
pub(super) struct Round {
    /// What people do before it.
    pub(super) before: Vec<Deed>,
    /// How much time passes before it.
    pub(super) wait: Duration,
    pub(super) tasks: Vec<Task>,
}

/// What a process does in a round.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) who: usize,
    pub(super) op: Op,
}

/// What can be done.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Rotate { secret: usize, value: Value, timing: Timing },
    Create { name: String },
    Resume { with_value: bool },
    Rollback { back: usize },
    Retire,
}

/// The value that is rotated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Good(usize),
    Bad,
    Generated,
}

/// What somebody else does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Adds an environment variable to a service.
    Edit {
        service: usize,
    },
    Scale {
        service: usize,
        to: u64,
    },
    /// Restarts a service's tasks.
    Force {
        service: usize,
    },
    /// Points a reference of a service at another secret.
    Point {
        service: usize,
        secret: usize,
    },
    RemoveService {
        service: usize,
    },
    /// Makes a service that mounts the secret of a logical name: its oldest version or its newest.
    NewService {
        secret: usize,
        newest: bool,
    },
    /// Takes the name of a secret's next version.
    TakeName {
        secret: usize,
    },
    /// Tries to delete every version that the Engine lets go.
    DeleteSecret {
        secret: usize,
    },
    /// Deploys a stack anew from its stored file.
    Redeploy {
        stack: usize,
    },
    /// Puts the newest version into a stack's file and deploys it.
    Patch {
        stack: usize,
    },
    Stop {
        stack: usize,
    },
    Start {
        stack: usize,
    },
}

/// Something that goes wrong, and where.
#[derive(Clone, Debug)]
pub(super) struct Happening {
    pub(super) round: usize,
    pub(super) who: usize,
    pub(super) class: Class,
    /// At which point of this class in the round, from 0.
    pub(super) nth: u64,
    pub(super) what: What,
}

/// The points at which a process can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Before a request that changes nothing.
    Read,
    /// Before a mutation.
    Write,
    /// After a mutation was carried out, before its answer is there.
    Answer,
    /// Before an entry of the journal is durable.
    Journal,
    /// After it.
    Journalled,
    /// Before an audit record is durable.
    Audit,
    /// After it.
    Audited,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// This request, and as many after it, meet a fault.
    Wire { fault: WireFault, times: u32 },
    /// The client gives up, and the request is carried out after this time.
    Late(Duration),
    /// The process dies; what it was writing down is torn if so said.
    Crash { torn: bool },
    /// The process stands still.
    Stall(Duration),
    /// Time jumps.
    Jump(Duration),
    /// The journal cannot be written so many times.
    JournalFails(u32),
    /// The audit trail cannot be written so many times.
    AuditFails(u32),
    /// Someone asks to stop.
    Cancel,
    /// Somebody else does something.
    Person(Deed),
}

impl What {
    /// The name under which it is counted.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Wire { fault, .. } => fault.name(),
            Self::Late(_) => "carried out after the timeout",
            Self::Crash { torn: false } => "crash",
            Self::Crash { torn: true } => "crash with a torn entry",
            Self::Stall(_) => "process paused",
            Self::Jump(_) => "time jumped",
            Self::JournalFails(_) => "journal not writable",
            Self::AuditFails(_) => "audit trail not writable",
            Self::Cancel => "asked to stop",
            Self::Person(_) => "somebody else's change",
        }
    }
}

impl Script {
    pub(super) fn of(seed: u64) -> Self {
        let scene = Scene::of(seed);
        let mut dice = Dice::new(seed ^ 0x0da7_a0da_7a0d_a7a0);
        let rounds: Vec<Round> = (0..[1, 1, 2, 3][at(&mut dice, 4)]).map(|n| Round::of(&mut dice, &scene, n)).collect();
        let mut happenings = Vec::new();
        for (n, round) in rounds.iter().enumerate() {
            for task in &round.tasks {
                let count = [0, 1, 1, 1, 2, 2, 3, 4][at(&mut dice, 8)];
                happenings.extend((0..count).map(|_| Happening::of(&mut dice, n, task.who, &scene)));
            }
        }
        Self { scene, rounds, happenings, one_journal: dice.percent(50) }
    }
}

fn at(dice: &mut Dice, below: usize) -> usize {
    usize::try_from(dice.below(below as u64)).unwrap_or(0)
}

fn seconds(dice: &mut Dice, choice: &[u64]) -> Duration {
    Duration::from_secs(dice.pick(choice).copied().unwrap_or(0))
}

impl Round {
    fn of(dice: &mut Dice, scene: &Scene, n: u64) -> Self {
        let before = if dice.percent(25) { vec![Deed::of(dice, scene)] } else { Vec::new() };
        let first = if n == 0 { Op::rotate(dice, scene) } else { Op::of(dice, scene) };
        let mut tasks = vec![Task { who: 0, op: first }];
        if dice.percent(20) {
            tasks.push(Task {
                who: 1,
                op: if dice.percent(75) { Op::rotate(dice, scene) } else { Op::of(dice, scene) },
            });
        }
        Self { before, wait: seconds(dice, &[0, 0, 5, 30, 3_700, 90_000]), tasks }
    }
}

impl Op {
    fn of(dice: &mut Dice, scene: &Scene) -> Self {
        match dice.below(100) {
            0..50 => Self::rotate(dice, scene),
            50..55 => Self::Create { name: ["alpha", "extra", "alpha_v2", "other"][at(dice, 4)].into() },
            55..75 => Self::Resume { with_value: dice.percent(70) },
            75..88 => Self::Rollback { back: at(dice, 2) },
            _ => Self::Retire,
        }
    }

    fn rotate(dice: &mut Dice, scene: &Scene) -> Self {
        let value = match dice.below(10) {
            0..5 => Value::Good(at(dice, 3)),
            5..8 => Value::Bad,
            _ => Value::Generated,
        };
        let timing = Timing {
            grace: seconds(dice, &[0, 0, 60, 3_600, 86_400]),
            stability: seconds(dice, &[1, 2, 10]),
            deadline: seconds(dice, &[300, 300, 60]),
        };
        // Most people rotate what is used.
        let used = scene.services.first().and_then(|service| service.mounts.first()).map(|(secret, _)| *secret);
        let secret = used.filter(|_| dice.percent(60)).unwrap_or_else(|| at(dice, scene.secrets));
        Self::Rotate { secret, value, timing }
    }
}

impl Deed {
    fn of(dice: &mut Dice, scene: &Scene) -> Self {
        let service = at(dice, scene.services.len() + scene.stacks.len());
        let (secret, stack) = (at(dice, scene.secrets), at(dice, scene.stacks.len()));
        let on_stack = |deed: Self, other: Self| if scene.stacks.is_empty() { other } else { deed };
        match dice.below(100) {
            0..22 => Self::Edit { service },
            22..32 => Self::Scale { service, to: dice.below(4) },
            32..37 => Self::Force { service },
            37..49 => Self::Point { service, secret },
            49..54 => Self::RemoveService { service },
            54..64 => Self::NewService { secret, newest: dice.percent(50) },
            64..71 => Self::TakeName { secret },
            71..78 => Self::DeleteSecret { secret },
            78..88 => on_stack(Self::Redeploy { stack }, Self::Edit { service }),
            88..93 => on_stack(Self::Patch { stack }, Self::Edit { service }),
            93..97 => on_stack(Self::Stop { stack }, Self::Force { service }),
            _ => on_stack(Self::Start { stack }, Self::Force { service }),
        }
    }
}

impl Happening {
    fn of(dice: &mut Dice, round: usize, who: usize, scene: &Scene) -> Self {
        let (class, most) = match dice.below(100) {
            0..32 => (Class::Write, 6),
            32..55 => (Class::Read, 1 << dice.below(8)),
            55..70 => (Class::Answer, 6),
            70..80 => (Class::Journal, 24),
            80..86 => (Class::Journalled, 24),
            86..95 => (Class::Audit, 10),
            _ => (Class::Audited, 10),
        };
        Self { round, who, class, nth: dice.below(most), what: What::of(dice, class, scene) }
    }
}

impl What {
    fn of(dice: &mut Dice, class: Class, scene: &Scene) -> Self {
        let person = |dice: &mut Dice| Self::Person(Deed::of(dice, scene));
        let chance = dice.below(100);
        match class {
            Class::Read | Class::Write => match chance {
                0..55 => Self::wire(dice, class),
                55..70 => Self::Crash { torn: false },
                70..88 => person(dice),
                88..93 => Self::Stall(seconds(dice, &[1, 20, 400])),
                93..97 => Self::Jump(seconds(dice, &[1, 60, 7_200])),
                _ => Self::Cancel,
            },
            Class::Answer if chance < 60 => Self::Crash { torn: false },
            Class::Answer => person(dice),
            Class::Journal if chance < 40 => Self::JournalFails(1 + u32::from(chance < 15)),
            Class::Journal => Self::Crash { torn: chance < 75 },
            Class::Audit if chance < 60 => Self::AuditFails(1 + u32::from(chance < 20)),
            Class::Audit | Class::Audited | Class::Journalled => Self::Crash { torn: false },
        }
    }

    fn wire(dice: &mut Dice, class: Class) -> Self {
        let times = if dice.percent(20) { 2 + u32::try_from(dice.below(20)).unwrap_or(0) } else { 1 };
        let fault = match dice.below(10) {
            0 => WireFault::Unreachable,
            1 | 2 => WireFault::LoseAnswer,
            3 => WireFault::Delay(seconds(dice, &[1, 15, 120])),
            4 if class == Class::Write => return Self::Late(seconds(dice, &[1, 3, 30, 600])),
            kind => WireFault::bad_answer(kind, class == Class::Write, dice),
        };
        Self::Wire { fault, times }
    }
}
