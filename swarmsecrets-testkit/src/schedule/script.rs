//! What is tried in a world, and what goes wrong: the schedule that a seed gives. Plain data, so that it can be cut.

use std::time::Duration;

use swarmsecrets_core::plan::Strategy;

use super::ask::{Ask, Value};
use super::scene::Scene;
use super::trouble::{Class, Happening};
use crate::credential::Step;
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
    /// How long after the round has begun.
    pub(super) later: Duration,
    pub(super) op: Op,
}

/// What can be done.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Rotate(Ask),
    Create {
        name: String,
    },
    /// Perhaps taking for good what probes cannot tell.
    Resume {
        with_value: bool,
        accept: bool,
    },
    Rollback {
        back: usize,
    },
    Retire,
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

impl Script {
    pub(super) fn of(seed: u64) -> Self {
        let scene = Scene::of(seed);
        let mut dice = Dice::new(seed ^ 0x0da7_a0da_7a0d_a7a0);
        let rounds: Vec<Round> = (0..[1, 1, 2, 3][at(&mut dice, 4)]).map(|n| Round::of(&mut dice, &scene, n)).collect();
        let (mut rounds, mut happenings) = (rounds, Vec::new());
        let mut one_journal = dice.percent(50);
        if dice.percent(8) {
            // One who stands still, and one who comes later and finds what is left.
            let round = &mut rounds[0];
            round.tasks.truncate(1);
            round.tasks.push(Task {
                who: 1,
                later: seconds(&mut dice, &[120, 300]),
                op: if dice.percent(80) {
                    Op::Resume { with_value: true, accept: false }
                } else {
                    Op::Rollback { back: 0 }
                },
            });
            let stall = Happening::overtaken(&mut dice, 0, &scene);
            if let Class::Call(step) = stall.class {
                round.come_to(&mut dice, &scene, step);
                if dice.percent(40) {
                    round.tasks[1].op = Op::Rollback { back: 0 };
                }
            }
            happenings.push(stall);
            one_journal = true;
        }
        if scene.systems.iter().any(Option::is_some) && dice.percent(25) {
            let step = *dice.pick(&[Step::Set, Step::Revoke, Step::Undo]).unwrap_or(&Step::Set);
            rounds[0].come_to(&mut dice, &scene, step);
            if step == Step::Undo && rounds.len() == 1 {
                // The same password is changed again, perhaps before the call arrives.
                let again = Round { before: Vec::new(), wait: Duration::from_secs(5), ..rounds[0].clone() };
                rounds.push(again);
            }
            happenings.push(Happening::late_call(&mut dice, 0, step));
        }
        for (n, round) in rounds.iter().enumerate() {
            for task in &round.tasks {
                let count = [0, 1, 1, 1, 2, 2, 3, 4][at(&mut dice, 8)];
                happenings.extend((0..count).map(|_| Happening::of(&mut dice, n, task.who, &scene)));
            }
        }
        Self { scene, rounds, happenings, one_journal }
    }
}

pub(super) fn at(dice: &mut Dice, below: usize) -> usize {
    usize::try_from(dice.below(below as u64)).unwrap_or(0)
}

pub(super) fn seconds(dice: &mut Dice, choice: &[u64]) -> Duration {
    Duration::from_secs(dice.pick(choice).copied().unwrap_or(0))
}

impl Round {
    fn of(dice: &mut Dice, scene: &Scene, n: u64) -> Self {
        let before = if dice.percent(25) { vec![Deed::of(dice, scene)] } else { Vec::new() };
        let first = if n == 0 { Op::Rotate(Ask::of(dice, scene)) } else { Op::of(dice, scene) };
        let mut tasks = vec![Task { who: 0, later: Duration::ZERO, op: first }];
        if dice.percent(20) {
            tasks.push(Task {
                who: 1,
                later: Duration::ZERO,
                op: if dice.percent(75) { Op::Rotate(Ask::of(dice, scene)) } else { Op::of(dice, scene) },
            });
        }
        Self { before, wait: seconds(dice, &[0, 0, 5, 30, 3_700, 90_000]), tasks }
    }
}

impl Round {
    /// Makes the first rotation change a password, and likelier to come to this step: what programs refuse is given back.
    fn come_to(&mut self, dice: &mut Dice, scene: &Scene, step: Step) {
        let Some(secret) = scene.systems.iter().position(Option::is_some) else { return };
        let Some(Op::Rotate(ask)) = self.tasks.first_mut().map(|task| &mut task.op) else { return };
        let refused = step == Step::Undo || step == Step::Set && dice.percent(50);
        ask.secrets = vec![(secret, if refused { Value::Bad } else { Value::Good(0) })];
        if ask.strategy == Strategy::Swap {
            ask.strategy = Strategy::Overlap;
        }
    }
}

impl Op {
    fn of(dice: &mut Dice, scene: &Scene) -> Self {
        match dice.below(100) {
            0..50 => Self::Rotate(Ask::of(dice, scene)),
            50..55 => Self::Create { name: ["alpha", "extra", "alpha_v2", "other"][at(dice, 4)].into() },
            55..75 => Self::Resume { with_value: dice.percent(70), accept: dice.percent(30) },
            75..88 => Self::Rollback { back: at(dice, 2) },
            _ => Self::Retire,
        }
    }
}

impl Deed {
    pub(super) fn of(dice: &mut Dice, scene: &Scene) -> Self {
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
