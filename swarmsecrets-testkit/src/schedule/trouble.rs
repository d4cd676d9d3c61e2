//! What goes wrong, and where.

use std::time::Duration;

use swarmsecrets_core::ErrorKind;

use super::scene::Scene;
use super::script::{Deed, seconds};
use crate::credential::{Fault, Step};
use crate::portainer::WireFault;
use crate::sim::Dice;

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
    /// Before a call of the system that a secret opens: each kind is counted by itself.
    Call(Step),
    /// After it has changed something, before its answer is there.
    Called,
    /// Before the answer of a probe.
    Probe,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// This request, and as many after it, meet a fault.
    Wire { fault: WireFault, times: u32 },
    /// The client gives up, and the request is carried out after this time.
    Late(Duration),
    /// So many answers, from this one on, show what was so at most this long ago, as those of a manager that was the leader.
    Stale { age: Duration, times: u32 },
    /// The process dies, and this is what it leaves of its journals.
    Crash(Leaves),
    /// The request is carried out twice; the client hears the second answer, as of a proxy that sends again.
    Twice,
    /// The process stands still.
    Stall(Duration),
    /// Time jumps.
    Jump(Duration),
    /// The process's clock goes wrong by so many seconds.
    WrongClock(i64),
    /// The managers choose a new leader: so many requests find none.
    NewManager(u32),
    /// The journal cannot be written so many times.
    JournalFails(u32),
    /// The audit trail cannot be written so many times.
    AuditFails(u32),
    /// The next call of a system meets a fault.
    System(Fault),
    /// Someone asks to stop.
    Cancel,
    /// Somebody else does something.
    Person(Deed),
}

/// What a process that dies leaves of what it has written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaves {
    /// All that was durable.
    All,
    /// All that was durable, and so many thousandths of the entry that it was writing.
    Torn(u64),
    /// Nothing: the journals of its host are gone.
    Nothing,
}

impl What {
    /// The name under which it is counted.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Wire { fault, .. } => fault.name(),
            Self::Late(_) => "carried out after the timeout",
            Self::Stale { .. } => "stale answer",
            Self::Crash(Leaves::All) => "crash",
            Self::Crash(Leaves::Torn(_)) => "crash with a torn entry",
            Self::Crash(Leaves::Nothing) => "crash, and the journals lost",
            Self::Twice => "carried out twice",
            Self::Stall(_) => "process paused",
            Self::Jump(_) => "time jumped",
            Self::WrongClock(_) => "clock went wrong",
            Self::NewManager(_) => "no leader among the managers",
            Self::JournalFails(_) => "journal not writable",
            Self::AuditFails(_) => "audit trail not writable",
            Self::System(Fault::Down) => "system: no connection",
            Self::System(Fault::LoseRequest | Fault::LoseAnswer) => "system: no answer",
            Self::System(Fault::Refuse(_)) => "system: refused",
            Self::System(Fault::DoNothing) => "system: said yes and did nothing",
            Self::Cancel => "asked to stop",
            Self::Person(_) => "somebody else's change",
        }
    }
}

impl Happening {
    pub(super) fn of(dice: &mut Dice, round: usize, who: usize, scene: &Scene) -> Self {
        let systems = if scene.systems.iter().any(Option::is_some) { 40 } else { 0 };
        let probes = if scene.probed { 15 } else { 0 };
        let (class, most) = match dice.below(100 + systems + probes) {
            0..32 => (Class::Write, 6),
            32..55 => (Class::Read, 1 << dice.below(8)),
            55..70 => (Class::Answer, 6),
            70..80 => (Class::Journal, 24),
            80..86 => (Class::Journalled, 24),
            86..95 => (Class::Audit, 10),
            95..100 => (Class::Audited, 10),
            more if more < 100 + probes => (Class::Probe, 6),
            more if more < 130 + probes => Self::call(dice),
            _ => (Class::Called, 4),
        };
        Self { round, who, class, nth: dice.below(most), what: What::of(dice, class, scene) }
    }

    /// A call, and how many there may be of its kind.
    fn call(dice: &mut Dice) -> (Class, u64) {
        match dice.below(10) {
            0..3 => (Class::Call(Step::Set), 2),
            3..6 => (Class::Call(Step::Verify), 5),
            6..8 => (Class::Call(Step::Revoke), 2),
            _ => (Class::Call(Step::Undo), 2),
        }
    }

    /// The first process gives up on a call of this kind, which is carried out later.
    pub(super) fn late_call(dice: &mut Dice, round: usize, step: Step) -> Self {
        let what = What::Late(seconds(dice, &[1, 30, 600, 600, 4_000]));
        Self { round, who: 0, class: Class::Call(step), nth: u64::from(dice.percent(20)), what }
    }

    /// The first process stands still for so long that another one takes its rotation over.
    pub(super) fn overtaken(dice: &mut Dice, round: usize, scene: &Scene) -> Self {
        let opens = scene.systems.iter().any(Option::is_some);
        let (class, most) = match dice.below(10) {
            0..4 if opens => Self::call(dice),
            9 if scene.probed => (Class::Probe, 4),
            7.. => (Class::Answer, 6),
            _ => (Class::Write, 6),
        };
        Self { round, who: 0, class, nth: dice.below(most), what: What::Stall(seconds(dice, &[400, 900])) }
    }
}

impl What {
    fn of(dice: &mut Dice, class: Class, scene: &Scene) -> Self {
        let person = |dice: &mut Dice| Self::Person(Deed::of(dice, scene));
        let chance = dice.below(100);
        match class {
            Class::Read if chance < 20 => {
                Self::Stale { age: seconds(dice, &[1, 5, 15]), times: *dice.pick(&[1, 1, 2, 6, 20]).unwrap_or(&1) }
            }
            Class::Read | Class::Write => match chance {
                0..55 => Self::wire(dice, class),
                55..70 => Self::crash(dice),
                70..88 => person(dice),
                88..93 => Self::Stall(seconds(dice, &[1, 20, 400])),
                93..95 => Self::Jump(seconds(dice, &[1, 60, 7_200])),
                95..96 => Self::WrongClock(*dice.pick(&[-90_000, -300, 300, 7_200, 90_000]).unwrap_or(&300)),
                96..97 => Self::NewManager(1 + u32::try_from(dice.below(6)).unwrap_or(0)),
                _ => Self::Cancel,
            },
            Class::Answer if chance < 60 => Self::crash(dice),
            Class::Answer => person(dice),
            Class::Call(step) if chance < 20 && step != Step::Verify => Self::Late(seconds(dice, &[1, 3, 30, 600])),
            Class::Call(_) if chance < 60 => Self::System(fault(dice)),
            Class::Call(_) if chance < 70 => Self::Stall(seconds(dice, &[1, 20, 400])),
            Class::Call(_) if chance < 85 => person(dice),
            Class::Call(_) | Class::Called => Self::crash(dice),
            Class::Probe if chance < 40 => person(dice),
            Class::Probe if chance < 55 => Self::Stall(seconds(dice, &[1, 20, 400])),
            Class::Probe if chance < 65 => Self::Cancel,
            Class::Probe => Self::crash(dice),
            Class::Journal if chance < 40 => Self::JournalFails(1 + u32::from(chance < 15)),
            Class::Journal if chance < 80 => Self::Crash(Leaves::Torn(dice.below(1_000))),
            Class::Journal => Self::crash(dice),
            Class::Audit if chance < 60 => Self::AuditFails(1 + u32::from(chance < 20)),
            Class::Audit | Class::Audited | Class::Journalled => Self::crash(dice),
        }
    }

    fn crash(dice: &mut Dice) -> Self {
        Self::Crash(if dice.percent(25) { Leaves::Nothing } else { Leaves::All })
    }

    fn wire(dice: &mut Dice, class: Class) -> Self {
        let times = if dice.percent(20) { 2 + u32::try_from(dice.below(20)).unwrap_or(0) } else { 1 };
        let fault = match dice.below(10) {
            0 => WireFault::Unreachable,
            1 | 2 => WireFault::LoseAnswer,
            3 => WireFault::Delay(seconds(dice, &[1, 15, 120])),
            4 if class == Class::Write && dice.percent(50) => return Self::Twice,
            4 if class == Class::Write => return Self::Late(seconds(dice, &[1, 3, 30, 600])),
            kind => WireFault::bad_answer(kind, class == Class::Write, dice),
        };
        Self::Wire { fault, times }
    }
}

/// What a system does to a call.
fn fault(dice: &mut Dice) -> Fault {
    let kinds =
        [ErrorKind::Forbidden, ErrorKind::Stale, ErrorKind::Conflict, ErrorKind::NotFound, ErrorKind::Unauthorized];
    match dice.below(8) {
        0..2 => Fault::Down,
        2..4 => Fault::LoseRequest,
        4..6 => Fault::LoseAnswer,
        6 => Fault::Refuse(*dice.pick(&kinds).unwrap_or(&ErrorKind::Forbidden)),
        _ => Fault::DoNothing,
    }
}
