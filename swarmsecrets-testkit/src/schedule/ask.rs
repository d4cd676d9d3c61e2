//! What a rotation is asked for.

use swarmsecrets_core::plan::{Canary, Rollout, Strategy, Timing};

use super::scene::Scene;
use super::script::{at, seconds};
use crate::sim::Dice;

/// A rotation that somebody asks for.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// The secrets, by number, each once, and what each gets.
    pub(super) secrets: Vec<(usize, Value)>,
    pub(super) strategy: Strategy,
    pub(super) timing: Timing,
    pub(super) rollout: Rollout,
    pub(super) canary: First,
    /// Pairs of services, of which the first is updated after the second.
    pub(super) after: Vec<(usize, usize)>,
    /// Whether a stack's file may be written though people have changed its services.
    pub(super) redeploy: bool,
    /// Whether probes are asked about the services.
    pub(super) probes: bool,
}

/// The value that is rotated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Good(usize),
    Bad,
    Generated,
}

/// Which service goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// Whichever labels or sizes tell.
    Labelled,
    /// This one.
    Service(usize),
    Nobody,
}

impl Ask {
    pub(super) fn of(dice: &mut Dice, scene: &Scene) -> Self {
        // Most people rotate what is used.
        let used = scene.services.first().and_then(|service| service.mounts.first()).map(|(secret, _)| *secret);
        let first = used.filter(|_| dice.percent(60)).unwrap_or_else(|| at(dice, scene.secrets));
        let mut numbers = vec![first];
        let more = [0, 0, 0, 1, 1, 3][at(dice, 6)];
        for _ in 0..more {
            let other = at(dice, scene.secrets);
            if !numbers.contains(&other) {
                numbers.push(other);
            }
        }
        let opens = numbers.iter().any(|secret| scene.systems[*secret].is_some());
        let strategy = match dice.below(100) {
            0..15 => Strategy::Revoke,
            _ if opens => Strategy::Overlap,
            _ => Strategy::Swap,
        };
        let revokes = strategy == Strategy::Revoke;
        let (canary, after) = (First::of(dice, scene, &numbers), pair(dice, scene, &numbers));
        Self {
            secrets: numbers.into_iter().map(|secret| (secret, Value::of(dice))).collect(),
            strategy,
            timing: Timing {
                grace: seconds(dice, if revokes { &[0] } else { &[0, 0, 60, 3_600, 86_400] }),
                stability: seconds(dice, &[1, 2, 10]),
                deadline: seconds(dice, &[300, 300, 60]),
            },
            rollout: Rollout {
                concurrency: if revokes { 20 } else { *dice.pick(&[1, 1, 2, 3, 10]).unwrap_or(&1) },
                failures: if revokes { 0 } else { *dice.pick(&[0, 0, 0, 1, 2]).unwrap_or(&0) },
            },
            canary,
            after,
            redeploy: dice.percent(10),
            probes: scene.probed && dice.percent(75),
        }
    }
}

/// Now and then one service is to come after another one.
fn pair(dice: &mut Dice, scene: &Scene, secrets: &[usize]) -> Vec<(usize, usize)> {
    if !dice.percent(10) {
        return Vec::new();
    }
    let (one, other) = (consumer(dice, scene, secrets), consumer(dice, scene, secrets));
    if one == other { Vec::new() } else { vec![(one, other)] }
}

/// A service, for the most part one that mounts one of the secrets.
fn consumer(dice: &mut Dice, scene: &Scene, secrets: &[usize]) -> usize {
    let mounts = |n: &usize| scene.services[*n].mounts.iter().any(|(secret, _)| secrets.contains(secret));
    let consumers: Vec<usize> = (0..scene.services.len()).filter(mounts).collect();
    let any = at(dice, scene.services.len());
    if dice.percent(95) { dice.pick(&consumers).copied().unwrap_or(any) } else { any }
}

impl Value {
    fn of(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0..6 => Self::Good(at(dice, 3)),
            6..8 => Self::Bad,
            _ => Self::Generated,
        }
    }
}

impl First {
    fn of(dice: &mut Dice, scene: &Scene, secrets: &[usize]) -> Self {
        match dice.below(10) {
            0..7 => Self::Labelled,
            7..9 => Self::Nobody,
            _ => Self::Service(consumer(dice, scene, secrets)),
        }
    }

    /// As core asks for it, with the names of the services.
    pub(super) fn named(self, scene: &Scene) -> Canary {
        match self {
            Self::Labelled => Canary::Labelled,
            Self::Nobody => Canary::Skipped,
            Self::Service(n) => scene.services.get(n).map_or(Canary::Labelled, |s| Canary::Service(s.name.clone())),
        }
    }
}
