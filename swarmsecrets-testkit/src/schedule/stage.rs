//! What everything in one simulation shares: the Swarm, the processes as they stand, what is still to go wrong, and the
//! first thing that was not as it must be.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::{pending, poll_fn};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use jiff::SignedDuration;
use swarmsecrets_core::Error;
use swarmsecrets_core::clock::{Clock as _, Now};
use swarmsecrets_core::executor::Cancellation;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::transport::Response;

use super::begun::Begun;
use super::late::{Belated, Late, Parcel, Reached, SetterCall};
use super::probes::Looks;
use super::scene::Scene;
use super::script::Deed;
use super::tally::Tally;
use super::trouble::{Class, Happening, Leaves, What};
use super::values::Needles;
use super::watch::{By, Watch};
use super::{lockouts, logins, people};
use crate::SimSwarm;
use crate::credential::{FakeCredential, Fault, Step};
use crate::portainer::{PortainerRequest, WireFault};

/// How many processes there are.
pub(super) const PROCESSES: usize = 2;

/// How long a lease is good without a sign of life.
const LEASE: Duration = Duration::from_secs(60);

/// What is answered while the managers choose a leader: the first request was still carried out.
fn leaderless(times: u32) -> impl Iterator<Item = WireFault> {
    const WORDS: &str = r#"{"message":"rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online."}"#;
    let rest = (1..times).map(|_| WireFault::Answer(503, WORDS.into()));
    std::iter::once(WireFault::Mask(500, WORDS.into())).chain(rest)
}

/// Shared by all that takes part in a simulation. Nothing in it waits with the lock held.
pub(super) struct Stage {
    pub(super) swarm: SimSwarm,
    /// The systems that secrets open, by the numbers of the secrets.
    pub(super) systems: Vec<Option<FakeCredential>>,
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
    /// Whether all processes run on one host.
    pub(super) one_host: bool,
    /// The faults that systems have met: the number of the secret, the call, and what went wrong.
    pub(super) denied: Vec<(usize, Step, Fault)>,
    /// The changes of passwords that were carried out, in order.
    pub(super) reached: Vec<Reached>,
    pub(super) belated: Belated,
    pub(super) looks: Looks,
    /// How many operations were begun.
    pub(super) runs: u64,
    /// Whether people have changed a service in something else than its references, or have meddled with a stack.
    pub(super) edited: bool,
    /// The services that people have stopped at last, as they did not work.
    pub(super) broken: BTreeSet<String>,
    /// The versions whose value was leaked and is ended first of all.
    pub(super) ended: BTreeSet<String>,
    /// What arrives after its sender has given up.
    late: Vec<Late>,
    pub(super) answers: Answers,
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
    /// Since when it stands still.
    still: Option<Duration>,
    /// Whether another process has taken over what it had in hand.
    overtaken: bool,
    /// The rotations of which it has seen that another process has them now.
    pub(super) knows: BTreeSet<RotationId>,
    /// By how many seconds its clock is wrong.
    wrong: i64,
    died: bool,
    outage: VecDeque<WireFault>,
    /// How old the next answers may be.
    stale: Vec<Duration>,
    pub(super) journal_fails: u32,
    pub(super) audit_fails: u32,
    pub(super) cancellation: Cancellation,
    /// When the list of services was last asked for in this operation.
    pub(super) listed: Option<Duration>,
    /// Mutations that were sent in this operation.
    pub(super) sent: u64,
}

/// The last answers to each question, the oldest first.
#[derive(Default)]
pub(super) struct Answers(BTreeMap<String, VecDeque<(Duration, Response)>>);

impl Answers {
    pub(super) fn keep(&mut self, asked: String, at: Duration, answer: &Response) {
        const ENOUGH: usize = 8;
        let answers = self.0.entry(asked).or_default();
        match answers.back_mut() {
            Some((seen, last)) if last == answer => *seen = at,
            _ => answers.push_back((at, answer.clone())),
        }
        if answers.len() > ENOUGH {
            answers.pop_front();
        }
    }
}

/// What a point does to the process that has reached it.
pub(super) enum Fired {
    Nothing,
    Wire(WireFault),
    Late(Duration),
    Crash(Leaves),
    Twice,
    Stall(Duration),
    System(Fault),
    Stale(Duration),
}

impl Stage {
    /// A world as it begins, once it has settled.
    ///
    /// # Errors
    /// If it cannot be built.
    pub(super) fn of(scene: &Scene, traced: bool) -> Result<Self, Error> {
        let systems = scene.systems()?;
        let stage = Self::new(scene.build(&systems)?, systems, traced);
        stage.look(&By::Scene, None);
        stage.live().watch.sight = scene.sight(&stage.swarm);
        Ok(stage)
    }

    fn new(swarm: SimSwarm, systems: Vec<Option<FakeCredential>>, traced: bool) -> Self {
        let live = Live {
            processes: std::array::from_fn(|_| Process::default()),
            watch: Watch::default(),
            tally: Tally::default(),
            needles: Needles::new(),
            begun: BTreeMap::new(),
            one_host: false,
            denied: Vec::new(),
            reached: Vec::new(),
            belated: Belated::default(),
            looks: Looks::default(),
            runs: 0,
            edited: false,
            broken: BTreeSet::new(),
            ended: BTreeSet::new(),
            late: Vec::new(),
            answers: Answers::default(),
            round: 0,
            happenings: Vec::new(),
            trace: traced.then(Vec::new),
            violation: None,
        };
        Self { swarm, systems, live: Mutex::new(live) }
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
            let at = self.mono();
            let mut world = self.swarm.engine().world();
            let mut live = self.live();
            let out = std::mem::take(&mut world.lockouts);
            match live.watch.look(&world, by, only, at) {
                Ok(true) => logins::everybody_can(&live, &world, &self.systems)
                    .and_then(|()| lockouts::met(&mut live, &world, &self.systems, &out)),
                seen => seen.map(drop),
            }
        };
        self.check(seen);
    }

    /// Looks whether everybody can still log in, after a password was changed.
    pub(super) fn check_logins(&self) {
        self.swarm.engine().passwords_changed();
        let can = {
            let world = self.swarm.engine().world();
            logins::everybody_can(&self.live(), &world, &self.systems)
        };
        self.check(can);
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
        use Deed::{Edit, Force, Patch, RemoveService, Scale, Stop};
        let edits = matches!(
            deed,
            Edit { .. } | Scale { .. } | Force { .. } | RemoveService { .. } | Stop { .. } | Patch { .. }
        );
        self.live().edited |= edits;
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
            self.arrive(late.what);
        }
        self.advance_to(until);
        self.look(&By::Engine, None);
    }

    fn arrive(&self, late: Parcel) {
        let told = |what: String, done: Result<(), Error>| {
            self.note(|| format!("late: {what}: {}", done.map_or_else(|error| error.to_string(), |()| "done".into())));
        };
        match late {
            Parcel::Request { user, request, by } => {
                let what = format!("{} {}", request.method, request.path);
                told(what, self.swarm.ask(user, request).map(drop));
                self.look(&By::Late(by), None);
            }
            Parcel::Call(call) => {
                let done = self.carry_out(&call, Some("its sender had given up on it"));
                told(format!("{:?} of secret {}", call.step(), call.secret), done);
                self.check_logins();
            }
        }
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

    /// The oldest answer to a question that is not older than this, if there is one.
    pub(super) fn answered(&self, asked: &str, age: Duration) -> Option<(Duration, Response)> {
        let since = self.mono().saturating_sub(age);
        self.live().answers.0.get(asked)?.iter().find(|(at, _)| *at >= since).cloned()
    }

    /// A request will be carried out later, and its client does not learn of it.
    pub(super) fn post_late(&self, after: Duration, user: &'static str, request: PortainerRequest, by: &RotationId) {
        let (at, by) = (self.mono() + after, by.to_string());
        self.live().late.push(Late { at, what: Parcel::Request { user, request, by } });
    }

    /// A call of a system will be carried out later, and its sender does not learn of it.
    pub(super) fn post_call(&self, after: Duration, call: SetterCall) {
        let at = self.mono() + after;
        self.live().late.push(Late { at, what: Parcel::Call(call) });
    }

    /// The journals of these rotations are gone.
    pub(super) fn lost(&self, rotations: &[RotationId]) {
        self.note(|| format!("the journals are lost: {}", rotations.len()));
        let mut live = self.live();
        for rotation in rotations {
            if let Some(begun) = live.begun.get_mut(rotation) {
                begun.lost = true;
            }
        }
    }

    /// The rotations whose journals are lost.
    pub(super) fn gone(&self) -> BTreeSet<RotationId> {
        let live = self.live();
        live.begun.iter().filter(|(_, begun)| begun.lost).map(|(id, _)| id.clone()).collect()
    }

    /// Something was refused on the way.
    pub(super) fn refused(&self, who: usize, what: &str, error: &Error) {
        self.note(|| format!("process {who}: {what} ended: {error}"));
        *self.live().tally.refused.entry(error.kind().to_string()).or_default() += 1;
    }

    /// A process dies here: it is never heard of again.
    pub(super) async fn die(&self, who: usize) {
        self.note(|| format!("process {who} dies"));
        self.live().processes[who].died = true;
        pending().await
    }

    /// The host of the process that dies is gone. If it is everybody's, all die.
    pub(super) fn all_die(&self) {
        let mut live = self.live();
        if live.one_host {
            live.processes.iter_mut().for_each(|process| process.died = true);
        }
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

    /// Stands still, and gives no sign of life meanwhile.
    pub(super) async fn stand_still(&self, who: usize, time: Duration) {
        let since = self.mono();
        self.live().processes[who].still = Some(since);
        self.sleep(who, time).await;
        self.live().processes[who].still = None;
    }

    /// Whether what a process has in hand may be taken over: it has given no sign of life for as long as a lease is good.
    pub(super) fn take_over(&self, holder: usize, by: usize) -> bool {
        let now = self.mono();
        let mut live = self.live();
        let still = live.processes[holder].still.is_some_and(|since| now.saturating_sub(since) >= LEASE);
        if holder == by || !still {
            return false;
        }
        live.processes[holder].overtaken = true;
        *live.tally.faults.entry("overtaken by another process").or_default() += 1;
        true
    }

    pub(super) fn is_overtaken(&self, who: usize) -> bool {
        self.live().processes[who].overtaken
    }

    /// The time that a process thinks it is.
    pub(super) fn now_of(&self, who: usize) -> Now {
        let Now { wall, mono } = self.swarm.clock().now();
        let wrong = SignedDuration::from_secs(self.live().processes[who].wrong);
        Now { wall: wall.checked_add(wrong).unwrap_or(wall), mono }
    }

    /// When a process wants to be woken; none if it can go on now.
    pub(super) fn wakes(&self, who: usize) -> Option<Duration> {
        self.live().processes[who].wakes.filter(|at| *at > self.mono())
    }
}

impl Process {
    pub(super) fn is_overtaken(&self) -> bool {
        self.overtaken
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
                What::Stale { age, times } => process.stale = vec![age; times as usize],
                What::Crash(leaves) => fired = Fired::Crash(leaves),
                What::Twice => fired = Fired::Twice,
                What::Stall(time) => fired = Fired::Stall(time),
                What::System(fault) => fired = Fired::System(fault),
                What::Jump(time) => jump += time,
                What::WrongClock(by) => process.wrong += by,
                What::NewManager(times) => process.outage.extend(leaderless(times)),
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
        if class == Class::Read
            && matches!(fired, Fired::Nothing)
            && let Some(age) = self.processes[who].stale.pop()
        {
            fired = Fired::Stale(age);
        }
        (fired, deeds, jump)
    }
}
