//! What is tried and what goes wrong: the script that a seed gives. Plain data, so that it can be printed.

use std::time::Duration;

use crate::portainer::WireFault;
use crate::sim::Dice;

/// How many runs of the command may meet something; after that nothing goes wrong any more.
const RUNS: u64 = 3;

/// A rotation of one secret.
#[derive(Clone, Debug)]
pub struct Script {
    /// The services that mount the secret.
    pub services: Vec<Served>,
    /// Whether the picky services refuse the new value.
    pub bad_value: bool,
    /// Whether the old version is kept for a day, or goes at once.
    pub grace: bool,
    /// What goes wrong.
    pub mishaps: Vec<Mishap>,
}

/// A service to create.
#[derive(Clone, Debug)]
pub struct Served {
    /// Whether it ends when it does not like the value.
    pub picky: bool,
    /// How many tasks it has.
    pub replicas: usize,
    /// What the Engine does by itself when an update fails.
    pub failure_action: &'static str,
}

/// Something that goes wrong, and where.
#[derive(Clone, Debug)]
pub struct Mishap {
    /// In which run of the command, from 0.
    pub run: usize,
    /// At which kind of point.
    pub at: Point,
    /// At which of these points, from 0.
    pub nth: u64,
    /// What goes wrong.
    pub what: What,
}

/// The points at which something can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// Before a request that changes nothing.
    Read,
    /// Before a mutation.
    Write,
    /// After a mutation was carried out, before its answer is there.
    Answer,
    /// After an entry of the journal was written.
    Journal,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// This request, and as many after it, meet a fault.
    Wire {
        /// The fault.
        fault: WireFault,
        /// How many requests meet it.
        times: u32,
    },
    /// The connection breaks, and the request arrives after this time.
    Late(Duration),
    /// The request arrives twice; the second answer is the one that is heard.
    Twice,
    /// The process dies.
    Crash {
        /// Whether it dies within the next entry of its journal.
        torn: bool,
    },
}

impl What {
    /// The name under which it is counted.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Wire { fault, .. } => fault.name(),
            Self::Late(_) => "carried out after the client gave up",
            Self::Twice => "arrived twice",
            Self::Crash { torn: false } => "crash",
            Self::Crash { torn: true } => "crash with a torn entry",
        }
    }
}

impl Script {
    /// The script of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x0fa0_17ed_0fa0_17ed);
        let services: Vec<Served> = (0..1 + dice.below(3)).map(|_| Served::of(&mut dice)).collect();
        let bad_value = dice.percent(35);
        let grace = dice.percent(60);
        let mishaps = (0..2 + dice.below(4)).map(|_| Mishap::of(&mut dice)).collect();
        Self { services, bad_value, grace, mishaps }
    }

    /// Whether the new value breaks one of the services.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.bad_value && self.services.iter().any(|service| service.picky)
    }

    /// What goes wrong in a run of the command.
    #[must_use]
    pub fn in_run(&self, run: usize) -> Vec<Mishap> {
        self.mishaps.iter().filter(|mishap| mishap.run == run).cloned().collect()
    }

    /// Whether nothing goes wrong any more from this run on.
    #[must_use]
    pub fn is_quiet_from(&self, run: usize) -> bool {
        self.mishaps.iter().all(|mishap| mishap.run < run)
    }
}

impl Served {
    fn of(dice: &mut Dice) -> Self {
        Self {
            picky: dice.percent(50),
            replicas: if dice.percent(25) { 2 } else { 1 },
            failure_action: dice.pick(&["pause", "continue", "rollback"]).copied().unwrap_or("pause"),
        }
    }
}

impl Mishap {
    fn of(dice: &mut Dice) -> Self {
        let run = if dice.percent(55) { 0 } else { 1 + usize::try_from(dice.below(RUNS - 1)).unwrap_or(0) };
        let (at, most) = match dice.below(100) {
            0..45 => (Point::Write, 5),
            45..65 => (Point::Read, 16 << dice.below(3)),
            65..80 => (Point::Answer, 5),
            _ => (Point::Journal, 16),
        };
        Self { run, at, nth: dice.below(most), what: What::of(dice, at) }
    }
}

impl What {
    fn of(dice: &mut Dice, at: Point) -> Self {
        match at {
            Point::Read => Self::wire(dice, false),
            Point::Write if dice.percent(15) => Self::Twice,
            Point::Write if dice.percent(15) => Self::Crash { torn: false },
            Point::Write => Self::wire(dice, true),
            Point::Answer => Self::Crash { torn: false },
            Point::Journal => Self::Crash { torn: dice.percent(40) },
        }
    }

    fn wire(dice: &mut Dice, write: bool) -> Self {
        let seconds = |dice: &mut Dice, choice: &[u64]| Duration::from_secs(*dice.pick(choice).unwrap_or(&1));
        let fault = match dice.below(10) {
            0 => WireFault::Unreachable,
            1 | 2 => WireFault::LoseAnswer,
            // The last is longer than the command waits.
            3 => return Self::Wire { fault: WireFault::Delay(seconds(dice, &[1, 3, 32])), times: 1 },
            4 if write => return Self::Late(seconds(dice, &[1, 3, 6])),
            kind => WireFault::bad_answer(kind, write, dice),
        };
        let times = if dice.percent(20) { 2 + u32::try_from(dice.below(8)).unwrap_or(0) } else { 1 };
        Self::Wire { fault, times }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything() {
        assert_eq!(format!("{:?}", Script::of(7)), format!("{:?}", Script::of(7)));
        assert_ne!(format!("{:?}", Script::of(7)), format!("{:?}", Script::of(8)));
    }

    #[test]
    fn each_kind_of_fault_is_drawn_and_it_ends() {
        let mut names = std::collections::BTreeSet::new();
        for script in (0..300).map(Script::of) {
            assert!((1..=3).contains(&script.services.len()) && script.is_quiet_from(RUNS as usize), "{script:?}");
            names.extend(script.mishaps.iter().map(|mishap| mishap.what.name()));
        }
        assert_eq!(names.len(), 10, "{names:?}");
    }
}
