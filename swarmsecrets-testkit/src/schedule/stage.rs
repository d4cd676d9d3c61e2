//! What everything in one simulation shares: the Swarm, the processes as they stand, what is still to go wrong, and the
//! first thing that was not as it must be.

use std::collections::{BTreeMap, VecDeque};
use std::future::{pending, poll_fn};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::executor::Cancellation;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::plan::Plan;

use super::people;
use super::script::{Class, Deed, Happening, Op, What};
use super::tally::Tally;
use super::values::Needles;
use super::watch::{By, Watch};
use crate::SimSwarm;
use crate::portainer::{PortainerRequest, WireFault};

/// How many processes there are.
pub(super) const PROCESSES: usize = 2;

/// Shared by all that takes part in a simulation. Nothing in it waits with the lock held.
pub(super) struct Stage {
    pub(super) swarm: SimSwarm,
    live: Mutex<Live>,
}

/// What changes.
pub(super) struct Live {
    pub(super) processes: [Process; PROCESSES],
    pub(super) watch: Watch,
    pub(super) tally: Tally,
    pub(super) needles: Needles,
    /// By rotation: what was begun.
    pub(super) begun: BTreeMap<RotationId, Begun>,
    /// Mutations that arrive after their client has given up.
    late: Vec<Late>,
    round: usize,
    happenings: Vec<Happening>,
    trace: Option<Vec<String>>,
    violation: Option<String>,
}

/// One process: it lives for one operation and may die in it.
#[derive(Default)]
pub(super) struct Process {
    counts: BTreeMap<Class, u64>,
    wakes: Option<Duration>,
    died: bool,
    outage: VecDeque<WireFault>,
    pub(super) journal_fails: u32,
    pub(super) audit_fails: u32,
    pub(super) cancellation: Cancellation,
    /// Mutations that were sent in this operation.
    pub(super) sent: u64,
}

/// A rotation that was begun.
pub(super) struct Begun {
    pub(super) plan: Plan,
    pub(super) op: Op,
    /// The new version's id, as the journal has it.
    pub(super) created: Option<String>,
    /// Whether a mutation of it was carried out after its client had given up.
    pub(super) late: bool,
}

struct Late {
    at: Duration,
    user: &'static str,
    request: PortainerRequest,
    by: String,
}

/// What a point does to the process that has reached it.
pub(super) enum Fired {
    Nothing,
    Wire(WireFault),
    Late(Duration),
    Crash { torn: bool },
    Stall(Duration),
}

impl Stage {
    pub(super) fn new(swarm: SimSwarm, traced: bool) -> Self {
        let live = Live {
            processes: std::array::from_fn(|_| Process::default()),
            watch: Watch::default(),
            tally: Tally::default(),
            needles: Needles::new(),
            begun: BTreeMap::new(),
            late: Vec::new(),
            round: 0,
            happenings: Vec::new(),
            trace: traced.then(Vec::new),
            violation: None,
        };
        Self { swarm, live: Mutex::new(live) }
    }

    pub(super) fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time since the beginning.
    pub(super) fn mono(&self) -> Duration {
        self.swarm.clock().now().mono
    }

    /// Writes a line of the trace, if one is kept.
    pub(super) fn note(&self, line: impl FnOnce() -> String) {
        let at = self.mono();
        if let Some(trace) = &mut self.live().trace {
            trace.push(format!("{:>10.3}s  {}", at.as_secs_f64(), line()));
        }
    }

    /// Something is not as it must be. The first one counts.
    pub(super) fn violated(&self, what: String) {
        self.note(|| format!("VIOLATED: {what}"));
        self.live().violation.get_or_insert(what);
    }

    pub(super) fn check(&self, holds: Result<(), String>) {
        if let Err(what) = holds {
            self.violated(what);
        }
    }

    /// What was violated first, if anything was.
    pub(super) fn violation(&self) -> Option<String> {
        self.live().violation.clone()
    }

    /// The trace.
    pub(super) fn trace(&self) -> Vec<String> {
        self.live().trace.clone().unwrap_or_default()
    }

    /// Looks at the world after something was done to it.
    pub(super) fn look(&self, by: &By, only: Option<&str>) {
        let seen = {
            let world = self.swarm.engine().world();
            self.live().watch.look(&world, by, only)
        };
        self.check(seen);
    }

    /// Begins a round: its happenings are armed, and counting begins anew.
    pub(super) fn arm(&self, round: usize, happenings: Vec<Happening>) {
        let mut live = self.live();
        live.round = round;
        live.happenings = happenings;
        for process in &mut live.processes {
            *process = Process::default();
        }
    }

    /// A process has come to a point. What people do there is done at once.
    pub(super) fn reach(&self, who: usize, class: Class) -> Fired {
        let (fired, deeds, jump) = {
            let mut live = self.live();
            live.tally.steps += 1;
            let nth = {
                let count = live.processes[who].counts.entry(class).or_default();
                *count += 1;
                *count - 1
            };
            live.fire(who, class, nth)
        };
        for deed in deeds {
            self.person(&deed);
        }
        if !jump.is_zero() {
            self.pass(jump);
        }
        fired
    }

    /// Somebody does something.
    pub(super) fn person(&self, deed: &Deed) {
        self.look(&By::Engine, None);
        let did = people::act(&self.swarm, deed);
        self.note(|| format!("somebody: {deed:?}: {did}"));
        self.look(&By::Person, None);
    }

    /// Lets time pass, and what was late arrive.
    pub(super) fn pass(&self, time: Duration) {
        let until = self.mono() + time;
        loop {
            let next = {
                let mut live = self.live();
                live.late.sort_by_key(|late| late.at);
                if live.late.first().is_some_and(|late| late.at <= until) { Some(live.late.remove(0)) } else { None }
            };
            let Some(late) = next else { break };
            self.advance_to(late.at);
            self.look(&By::Engine, None);
            let what = format!("{} {}", late.request.method, late.request.path);
            let done = self.swarm.ask(late.user, late.request);
            self.note(|| {
                format!("late: {what}: {}", done.as_ref().map_or_else(ToString::to_string, |_| "done".into()))
            });
            self.look(&By::Rotation(late.by), None);
        }
        self.advance_to(until);
        self.look(&By::Engine, None);
    }

    fn advance_to(&self, until: Duration) {
        self.swarm.engine().run_for(until.saturating_sub(self.mono()));
    }

    /// Lets everything arrive that is still on its way.
    pub(super) fn deliver(&self) {
        let last = self.live().late.iter().map(|late| late.at).max();
        if let Some(at) = last {
            self.pass(at.saturating_sub(self.mono()));
        }
    }

    /// A request will be carried out later, and its client does not learn of it.
    pub(super) fn post_late(&self, after: Duration, user: &'static str, request: PortainerRequest, by: &RotationId) {
        let at = self.mono() + after;
        let mut live = self.live();
        if let Some(begun) = live.begun.get_mut(by) {
            begun.late = true;
        }
        live.late.push(Late { at, user, request, by: by.to_string() });
    }

    /// A process dies here: it is never heard of again.
    pub(super) async fn die(&self, who: usize) {
        self.note(|| format!("process {who} dies"));
        self.live().processes[who].died = true;
        pending().await
    }

    pub(super) fn has_died(&self, who: usize) -> bool {
        self.live().processes[who].died
    }

    /// Lets the other process have its turn.
    pub(super) async fn give_way(&self) {
        let mut given = false;
        poll_fn(|_| if std::mem::replace(&mut given, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Sleeps until the clock has moved on.
    pub(super) async fn sleep(&self, who: usize, time: Duration) {
        let until = self.mono() + time;
        self.live().processes[who].wakes = Some(until);
        poll_fn(|_| if self.mono() >= until { Poll::Ready(()) } else { Poll::Pending }).await;
        self.live().processes[who].wakes = None;
    }

    /// When a process wants to be woken; none if it can go on now.
    pub(super) fn wakes(&self, who: usize) -> Option<Duration> {
        self.live().processes[who].wakes.filter(|at| *at > self.mono())
    }
}

impl Live {
    fn fire(&mut self, who: usize, class: Class, nth: u64) -> (Fired, Vec<Deed>, Duration) {
        let (round, here) = (self.round, |h: &mut Happening| (h.who, h.class, h.nth) == (who, class, nth));
        debug_assert!(self.happenings.iter().all(|h| h.round == round));
        let due: Vec<Happening> = self.happenings.extract_if(.., here).collect();
        let (mut fired, mut deeds, mut jump) = (Fired::Nothing, Vec::new(), Duration::ZERO);
        for Happening { what, .. } in due {
            *self.tally.faults.entry(what.name()).or_default() += 1;
            let process = &mut self.processes[who];
            match what {
                What::Wire { fault, times } => process.outage.extend(std::iter::repeat_n(fault, times as usize)),
                What::Late(after) => fired = Fired::Late(after),
                What::Crash { torn } => fired = Fired::Crash { torn },
                What::Stall(time) => fired = Fired::Stall(time),
                What::Jump(time) => jump += time,
                What::JournalFails(times) => process.journal_fails += times,
                What::AuditFails(times) => process.audit_fails += times,
                What::Cancel => process.cancellation.cancel(),
                What::Person(deed) => deeds.push(deed),
            }
        }
        let requests = matches!(class, Class::Read | Class::Write);
        if requests
            && matches!(fired, Fired::Nothing)
            && let Some(fault) = self.processes[who].outage.pop_front()
        {
            fired = Fired::Wire(fault);
        }
        (fired, deeds, jump)
    }
}
