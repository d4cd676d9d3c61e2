//! A Swarm in a few lines, for the tests of the machine: names, references, and tasks that follow them at once.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::action::{Action, Answer, Change, FoundVersion, Login, Look, Reply, Which};
use crate::audit::Actor;
use crate::clock::Now;
use crate::error::{Error, ErrorKind};
use crate::health::{Baseline, Health};
use crate::ids::{ControlId, EnvironmentId, SecretId, SpecVersion, TeamId, UserId};
use crate::inventory::{
    Account, FailureAction, Grouping, Inventory, Labels, LeavingTask, LogicalSecret, MountedSecret, Mounts, NameScheme,
    Owner, SecretReference, SecretVersion, ServiceMode, ServiceNode, TaskSummary, UpdateConfig, Visibility, label,
};
use crate::journal::{CredentialStep, Measured};
use crate::model::{ServiceState, TaskState};
use crate::plan::{
    Allowances, Content, NextVersion, Plan, PlanKind, PlannedConsumer, PlannedMount, PlannedSecret, Rollout, SCHEMA,
    Strategy, Timing, ValueRecipe, VersionRef,
};
use crate::policy::Decision;

/// What goes wrong with an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is done and answered.
    None,
    /// It never arrives.
    Lost,
    /// It is done, and the answer is an error.
    AnswerLost,
    /// A service is shown as it was before its last update, and no new version is known.
    Outdated,
}

#[derive(Clone)]
pub(super) struct Service {
    pub(super) version: u64,
    /// The secret that it mounts: id and name.
    pub(super) mounts: (String, String),
    /// The secret that it mounts beside that one: id and name.
    pub(super) beside: Option<(String, String)>,
    /// Whether its tasks fail on anything but `old`.
    pub(super) breaks: bool,
    /// The same before its last update.
    pub(super) before: Option<Box<Service>>,
}

impl Service {
    /// All that it mounts.
    fn all(&self) -> impl Iterator<Item = &(String, String)> {
        std::iter::once(&self.mounts).chain(&self.beside)
    }

    fn references(&self) -> Vec<SecretReference> {
        let reference = |((id, name), target): (&(String, String), &str)| SecretReference {
            id: id.clone(),
            name: name.clone(),
            target: target.into(),
            uid: "0".into(),
            gid: "0".into(),
            mode: 0o444,
        };
        self.all().zip(["db", "db.previous"]).map(reference).collect()
    }
}

pub(super) struct World {
    pub(super) now: Now,
    pub(super) secrets: BTreeMap<String, FoundVersion>,
    pub(super) services: Vec<Service>,
    /// How many secrets were ever made.
    pub(super) made: u32,
    /// From which version another rotation has made `db_v3`, if one has.
    pub(super) later: Option<&'static str>,
    /// The service that a late update puts on `db_v2`: once the world is looked at, or just before that.
    pub(super) late: Option<(usize, bool)>,
    /// The id of a version that a task of a removed service still mounts.
    pub(super) stray: Option<String>,
    /// The id of a version that a running task of the first service mounts.
    pub(super) running: Option<String>,
    /// How often the first service's task ends and is replaced at once, on any version but `old`.
    pub(super) short_lived: Option<Duration>,
    /// Whether a task of the first service has the old version and is not seen to stop.
    pub(super) lingers: bool,
    /// How many times the world cannot be read: not found.
    pub(super) unreadable: Cell<u32>,
    /// How many times nothing can be looked at: the key is not good.
    pub(super) locked: u32,
    /// Whether the new password is set.
    pub(super) set: bool,
    /// Whether the old password was ended.
    pub(super) ended: bool,
    /// The service in which commands change the password: they need both versions.
    pub(super) provider: Option<usize>,
    /// Whether a redeploy takes the old version from that service whenever the world is looked at.
    pub(super) redeployed: bool,
    /// Whether giving the old password back ends it.
    pub(super) shuts: bool,
    /// The secret whose password cannot be set.
    pub(super) refused: Option<usize>,
    /// Whether the account does not see everything.
    pub(super) partial: bool,
    /// What the probes of a service say, one answer after the other; then they say that it is healthy.
    pub(super) says: BTreeMap<usize, VecDeque<Option<Health>>>,
    /// The service whose baseline cannot be taken.
    pub(super) unmeasurable: Option<usize>,
    /// How many times the probes of each service were asked for a baseline, and for its health.
    pub(super) asked: BTreeMap<usize, (u32, u32)>,
}

pub(super) fn owner(team: u64) -> Owner {
    Owner { control: Some(ControlId(9)), teams: vec![TeamId(team)], ..Owner::default() }
}

pub(super) fn actor() -> Actor {
    Actor { account: "admin".into(), ..Actor::default() }
}

impl World {
    /// `db` with `n` consumers, the `breaking` one of which cannot work with another value.
    pub(super) fn new(n: usize, breaking: Option<usize>) -> Self {
        let old = FoundVersion { id: "old".parse().unwrap(), rotation: None, owner: Some(owner(1)) };
        let service = |i| Service {
            version: 1,
            mounts: ("old".into(), "db".into()),
            beside: None,
            breaks: breaking == Some(i),
            before: None,
        };
        Self {
            now: Now { wall: Timestamp::UNIX_EPOCH, mono: Duration::ZERO },
            secrets: BTreeMap::from([("db".to_owned(), old)]),
            services: (0..n).map(service).collect(),
            made: 0,
            later: None,
            late: None,
            stray: None,
            running: None,
            short_lived: None,
            lingers: false,
            unreadable: Cell::new(0),
            locked: 0,
            set: false,
            ended: false,
            provider: None,
            redeployed: false,
            shuts: false,
            refused: None,
            partial: false,
            says: BTreeMap::new(),
            unmeasurable: None,
            asked: BTreeMap::new(),
        }
    }

    pub(super) fn plan(&self, grace: Duration) -> Plan {
        self.plan_as(grace, |_| {})
    }

    /// The same with something changed before it is sealed.
    pub(super) fn plan_as(&self, grace: Duration, change: impl FnOnce(&mut Content)) -> Plan {
        let consumer = |i: usize| PlannedConsumer {
            id: format!("s{i}").parse().unwrap(),
            service: format!("s{i}"),
            mounts: vec![PlannedMount { target: "db".into(), secret: 0 }],
            wave: 0,
            mode: ServiceMode::Replicated(1),
            restarts: 1,
            stack: None,
            probes: vec![],
        };
        let mut content = Content {
            schema: SCHEMA,
            kind: PlanKind::Rotate,
            environment: EnvironmentId(1),
            cluster: "c".parse().unwrap(),
            simulated: true,
            account: "admin".into(),
            partial: None,
            strategy: Strategy::Swap,
            secrets: vec![PlannedSecret {
                secret: "db".into(),
                recipe: ValueRecipe::Supplied,
                previous: Some(VersionRef { id: "old".parse().unwrap(), name: "db".parse().unwrap() }),
                next: NextVersion { name: "db_v2".parse().unwrap(), version: 2, labels: Labels::new() },
                owner: Some(owner(1)),
                credential: None,
            }],
            rollout: Rollout::default(),
            allow: Allowances::default(),
            consumers: (0..self.services.len()).map(consumer).collect(),
            stacks: vec![],
            steps: vec![],
            restarts: 0,
            expected: Duration::ZERO,
            warnings: vec![],
            decision: Decision::Allow,
            timing: Timing { grace, ..Timing::default() },
            reason: None,
            agent: None,
        };
        change(&mut content);
        Plan::seal(content).unwrap()
    }

    pub(super) fn reply(&mut self, action: &Action, fault: Fault) -> Reply {
        let lost = || Error::new(ErrorKind::Timeout, "no answer in time");
        if fault == Fault::Lost {
            return Reply::Unknown(lost());
        }
        let done = match action {
            Action::Look(_) if self.locked > 0 => {
                self.locked -= 1;
                Err(Error::new(ErrorKind::Unauthorized, "check the API key"))
            }
            Action::Look(Look::World) if self.unreadable.get() > 0 => {
                self.unreadable.set(self.unreadable.get() - 1);
                Err(Error::new(ErrorKind::NotFound, "no such environment"))
            }
            Action::Look(Look::Baseline(id)) => self.baseline(place(id.as_str())),
            Action::Look(Look::Health(id)) => Ok(self.health(place(id.as_str()))),
            Action::Look(Look::Version(name)) if fault == Fault::Outdated && name.as_str() != "db" => {
                Ok(Answer::Version(None))
            }
            Action::Look(Look::Service(id) | Look::Rollout(id)) if fault == Fault::Outdated => {
                let n = place(id.as_str());
                let before = self.services[n].before.as_deref().unwrap_or(&self.services[n]).clone();
                let now = std::mem::replace(&mut self.services[n], before);
                let Action::Look(look) = action else { unreachable!() };
                let seen = self.look(look);
                self.services[n] = now;
                Ok(seen)
            }
            Action::Look(look) => {
                if let (Look::World, true, Some(n)) = (look, self.redeployed, self.provider) {
                    self.services[n].beside = None;
                }
                let late = self.late.take_if(|_| matches!(look, Look::World));
                late.filter(|(_, unseen)| !unseen).into_iter().for_each(|(n, _)| self.arrives_late(n));
                let seen = self.look(look);
                late.filter(|(_, unseen)| *unseen).into_iter().for_each(|(n, _)| self.arrives_late(n));
                Ok(seen)
            }
            Action::Change(change) => self.change(change),
        };
        match (done, fault) {
            (_, Fault::AnswerLost) => Reply::Unknown(lost()),
            (Ok(answer), _) => Reply::Done(answer),
            (Err(error), _) => Reply::Refused(error),
        }
    }

    fn arrives_late(&mut self, n: usize) {
        let new = (self.secrets["db_v2"].id.to_string(), "db_v2".to_owned());
        self.services[n] = Service { version: self.services[n].version + 1, mounts: new, ..self.services[n].clone() };
    }

    fn look(&self, look: &Look) -> Answer {
        match look {
            Look::Version(name) => Answer::Version(self.secrets.get(name.as_str()).cloned()),
            Look::Service(id) => Answer::Service(Box::new(self.service(place(id.as_str())))),
            Look::Login { .. } if !self.has_both() => {
                let text = "no task runs that mounts both versions";
                Answer::Login(Login::Unclear(Error::new(ErrorKind::Unreachable, text)))
            }
            Look::Login { which: Which::Old, .. } if self.ended => Answer::Login(Login::Refused),
            Look::Login { .. } => Answer::Login(Login::Works),
            Look::Rollout(id) => {
                let n = place(id.as_str());
                Answer::Rollout(Box::new(self.service(n)), self.tasks(n))
            }
            Look::Baseline(_) | Look::Health(_) => unreachable!("they are answered before"),
            Look::World | Look::Stacks(_) => Answer::World(Box::new(self.inventory())),
        }
    }

    fn baseline(&mut self, n: usize) -> Result<Answer, Error> {
        assert!(self.made == 0, "a baseline is taken before anything is changed");
        self.asked.entry(n).or_default().0 += 1;
        if self.unmeasurable == Some(n) {
            return Err(Error::new(ErrorKind::Refused, "even before anything is changed it does not answer"));
        }
        let baseline = Baseline::of(&n).unwrap();
        Ok(Answer::Baseline(vec![Measured { probe: "fake".into(), baseline }]))
    }

    fn health(&mut self, n: usize) -> Answer {
        assert!(self.services[n].mounts.0 != "old", "nobody is asked on the way back");
        self.asked.entry(n).or_default().1 += 1;
        let says = self.says.get_mut(&n).and_then(VecDeque::pop_front);
        Answer::Health(says.unwrap_or(Some(Health::Healthy)))
    }

    fn change(&mut self, change: &Change) -> Result<Answer, Error> {
        match change {
            Change::Create { name, labels, .. } => {
                if self.secrets.contains_key(name.as_str()) {
                    return Err(Error::new(ErrorKind::Conflict, "already exists"));
                }
                self.made += 1;
                let id: SecretId = format!("new{}", self.made).parse().unwrap();
                let private = Owner { control: Some(ControlId(7)), users: vec![UserId(1)], ..Owner::default() };
                let rotation = labels.get(label::ROTATION).map(str::to_owned);
                let found = FoundVersion { id, rotation, owner: Some(private) };
                self.secrets.insert(name.to_string(), found.clone());
                Ok(Answer::Created(found))
            }
            Change::Own { owner, name, .. } => {
                let secret = self.secrets.get_mut(name.as_str()).unwrap();
                secret.owner = Some(Owner { control: Some(ControlId(7)), ..owner.clone() });
                Ok(Answer::Taken)
            }
            Change::Credential { secret, .. } if self.refused == Some(*secret) => {
                Err(Error::new(ErrorKind::Forbidden, "the administrator may not do this"))
            }
            Change::Credential { .. } if !self.has_both() => {
                Err(Error::new(ErrorKind::Refused, "no task runs that mounts both versions"))
            }
            Change::Credential { step, .. } => {
                self.set = *step != CredentialStep::Undo;
                self.ended = *step == CredentialStep::Revoke || (*step == CredentialStep::Undo && self.shuts);
                Ok(Answer::Taken)
            }
            Change::Stack { .. } => Err(Error::new(ErrorKind::NotFound, "there are no stacks in this world")),
            Change::Update { service, version, spec, .. } => {
                let service = &mut self.services[place(service.as_str())];
                if version.0 != service.version {
                    return Err(Error::new(ErrorKind::Conflict, "update out of sequence"));
                }
                let mut mounted = spec.references().unwrap().into_iter().map(|r| (r.id, r.name));
                service.before = Some(Box::new(Service { before: None, ..service.clone() }));
                service.version += 1;
                (service.mounts, service.beside) = (mounted.next().unwrap(), mounted.next());
                Ok(Answer::Taken)
            }
            Change::Remove { id, name, .. } => {
                let uses = |s: &Service| s.all().any(|(mounted, _)| mounted == id.as_str());
                if let Some(n) = self.services.iter().position(uses) {
                    let text = format!("secret is in use by the following service: s{n} (HTTP 400)");
                    return Err(Error::new(ErrorKind::InUse, text));
                }
                match self.secrets.get(name.as_str()) {
                    Some(found) if found.id == *id => {
                        self.secrets.remove(name.as_str());
                        Ok(Answer::Taken)
                    }
                    _ => Err(Error::new(ErrorKind::NotFound, "no such secret")),
                }
            }
        }
    }

    /// Whether commands can change the password: if they do, in their service, with both versions.
    fn has_both(&self) -> bool {
        let Some(service) = self.provider.map(|n| &self.services[n]) else { return true };
        service.mounts.1 == "db_v2" && service.beside.as_ref().is_some_and(|(_, name)| name == "db")
    }

    fn service(&self, n: usize) -> ServiceState {
        let Service { version, .. } = &self.services[n];
        let references = self.services[n].references();
        let reference = |r: &SecretReference| {
            format!(
                r#"{{"File":{{"Name":"{}","UID":"0","GID":"0","Mode":292}},"SecretID":"{}","SecretName":"{}"}}"#,
                r.target, r.id, r.name
            )
        };
        let references = references.iter().map(reference).collect::<Vec<_>>().join(",");
        let text = format!(
            r#"{{"ID":"s{n}","Version":{{"Index":{version}}},"CreatedAt":"2026-01-01T00:00:00Z","UpdatedAt":"2026-01-01T00:00:00Z",
               "Spec":{{"Name":"s{n}","Labels":{{}},"Mode":{{"Replicated":{{"Replicas":1}}}},"TaskTemplate":{{"ContainerSpec":{{"Image":"x",
               "Secrets":[{references}]}}}}}}}}"#
        );
        ServiceState::parse(text.as_bytes()).unwrap()
    }

    fn tasks(&self, n: usize) -> Vec<TaskState> {
        let Service { mounts, breaks, .. } = &self.services[n];
        let bad = *breaks && mounts.0 != "old";
        let task = |i: u32, desired: &str, state: &str| TaskState {
            id: format!("t{n}x{i}").parse().unwrap(),
            service: format!("s{n}").parse().unwrap(),
            slot: Some(1),
            node: Some("n1".parse().unwrap()),
            desired: desired.into(),
            state: state.into(),
            error: bad.then(|| "task: non-zero exit (3)".to_owned()),
            exit_code: Some(if bad { 3 } else { 0 }),
            created: "2026-01-01T00:00:00Z".parse().unwrap(),
            secrets: self.services[n].all().cloned().collect(),
            message: "started".into(),
        };
        if bad {
            vec![task(1, "shutdown", "failed"), task(2, "shutdown", "failed"), task(3, "ready", "ready")]
        } else {
            let life = self.short_lived.filter(|_| n == 0 && mounts.0 != "old");
            let lives = life.map_or(0, |life| self.now.mono.as_secs() / life.as_secs());
            vec![task(u32::try_from(lives).unwrap(), "running", "running")]
        }
    }

    fn inventory(&self) -> Inventory {
        let node = |(n, s): (usize, &Service)| {
            Arc::new(ServiceNode {
                id: format!("s{n}").parse().unwrap(),
                name: format!("s{n}"),
                labels: Labels::new(),
                version: SpecVersion(s.version),
                mode: ServiceMode::Replicated(1),
                stack: None,
                image: "x".into(),
                references: s.references(),
                update: UpdateConfig {
                    parallelism: 1,
                    delay: 0,
                    monitor: 0,
                    failure_action: FailureAction::Pause,
                    start_first: false,
                },
                health_check: None,
                host_port: false,
                tasks: self.summary(n),
                oversized: None,
                spec: 0..0,
            })
        };
        Inventory {
            environment: EnvironmentId(1),
            cluster: "c".parse().unwrap(),
            account: Account { id: UserId(1), name: "admin".into(), administrator: true, teams: None },
            taken_at: Timestamp::UNIX_EPOCH,
            simulated: true,
            visibility: if self.partial {
                Visibility::Partial { reason: "some services are hidden".into() }
            } else {
                Visibility::Full
            },
            secrets: vec![self.db()],
            services: self.services.iter().enumerate().map(node).collect(),
            stacks: vec![],
            ambiguous: vec![],
            findings: vec![],
            strays: self.stray.iter().cloned().collect(),
            raw: bytes::Bytes::new(),
            networks: None,
        }
    }

    fn summary(&self, n: usize) -> TaskSummary {
        let by = Mounts { wanted: 1, alive: 1 };
        let running = self.running.iter().filter(|_| n == 0);
        let mounted = running.map(|id| MountedSecret { id: id.parse().unwrap(), by }).collect();
        let (id, node) = ("t0x9".parse().unwrap(), Some("n1".parse().unwrap()));
        let task = LeavingTask { id, node, secrets: vec!["old".parse().unwrap()] };
        let leaving = if self.lingers && n == 0 { vec![task] } else { vec![] };
        TaskSummary { mounted, leaving, ..TaskSummary::default() }
    }

    /// The logical secret, with what another rotation has made of it.
    fn db(&self) -> LogicalSecret {
        let version = |name: &str, id: &SecretId, labels: Labels| SecretVersion {
            id: id.clone(),
            name: name.parse().unwrap(),
            version: name.rsplit_once("_v").map_or(1, |(_, number)| number.parse().unwrap()),
            scheme: NameScheme::Plain,
            created: Timestamp::UNIX_EPOCH,
            labels,
            owner: None,
            driver: None,
            templating: None,
        };
        let ours = self.secrets.iter().filter(|(name, _)| name.starts_with("db"));
        let mut versions: Vec<SecretVersion> = ours.map(|(name, v)| version(name, &v.id, Labels::new())).collect();
        let labels =
            |from| [(label::PREVIOUS, from), (label::ROTATION, "r-00000000000000000000")].into_iter().collect();
        versions.extend(self.later.map(|from| version("db_v3", &"theirs".parse().unwrap(), labels(from))));
        let (name, grouped_by, current) = ("db".into(), Grouping::Label, versions.len().saturating_sub(1));
        LogicalSecret { name, grouped_by, versions, current, consumers: vec![], findings: vec![] }
    }

    /// Whether every service mounts a version that exists.
    pub(super) fn sound(&self) -> bool {
        let there = |(id, name): &(String, String)| self.secrets.get(name).is_some_and(|v| v.id.as_str() == id);
        self.services.iter().flat_map(Service::all).all(there)
    }

    pub(super) fn all_on(&self, name: &str) -> bool {
        self.services.iter().all(|s| s.mounts.1 == name && s.beside.is_none())
    }
}

fn place(id: &str) -> usize {
    id[1..].parse().unwrap()
}
