//! How made-up probes are: what each says of its service is drawn with the world.

use std::time::Duration;

use swarmsecrets_core::health::Health;

use super::script::seconds;
use crate::sim::Dice;

/// How the probe of a service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manner {
    kind: Kind,
    /// How long it takes.
    pub(super) time: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Says no where the value that nobody should take is mounted, also if tasks run with it.
    Honest,
    /// Says no whatever is mounted.
    Never,
    /// Cannot tell so many times in a rotation, and is honest after that.
    Unsure(usize),
    /// Can never tell.
    Blind,
    /// Does not work even before anything is changed.
    Broken,
}

/// What a probe has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Healthy,
    Unhealthy,
    Inconclusive,
}

impl Said {
    pub(super) fn health(self) -> Health {
        match self {
            Self::Healthy => Health::Healthy,
            Self::Unhealthy => Health::unhealthy("the made-up probe says no"),
            Self::Inconclusive => Health::inconclusive("the made-up probe cannot tell"),
        }
    }

    /// The name under which it is counted.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl Manner {
    /// One that is honest and quick.
    pub(super) const HONEST: Self = Self { kind: Kind::Honest, time: Duration::ZERO };

    pub(super) fn of(dice: &mut Dice) -> Self {
        let kind = match dice.below(100) {
            0..60 => Kind::Honest,
            60..70 => Kind::Never,
            70..85 => Kind::Unsure([1, 2, 3, 5][usize::try_from(dice.below(4)).unwrap_or(0)]),
            85..95 => Kind::Blind,
            _ => Kind::Broken,
        };
        Self { kind, time: seconds(dice, &[0, 0, 0, 1, 8, 120]) }
    }

    /// Whether it can be asked before anything is changed.
    pub(super) fn works(self) -> bool {
        self.kind != Kind::Broken
    }

    /// What it says when it was asked so many times before in this rotation, and a bad value is mounted or not.
    pub(super) fn says(self, before: usize, bad: bool) -> Said {
        match self.kind {
            Kind::Unsure(times) if before < times => Said::Inconclusive,
            Kind::Blind => Said::Inconclusive,
            Kind::Never => Said::Unhealthy,
            _ if bad => Said::Unhealthy,
            _ => Said::Healthy,
        }
    }
}
