//! The world that a seed gives: its secrets, its services, its stacks, its people.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use swarmsecrets_core::SecretValue;
use swarmsecrets_core::credential::Way;
use swarmsecrets_core::error::Result;
use swarmsecrets_core::inventory::label;

use super::manner::Manner;
use super::values;
use crate::SimSwarm;
use crate::credential::FakeCredential;
use crate::portainer::{Grant, State};
use crate::sim::{Dice, NodeBuilder, Program, SecretBuilder, ServiceBuilder, SimEngine};

/// The names that secrets have.
pub(super) const SECRETS: [&str; 4] = ["alpha", "bravo_key", "charlie.pw", "delta-v2-token"];
/// The scoped account.
pub(super) const AGENT: &str = "svc-agent";

/// What there is before anything happens.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) seed: u64,
    pub(super) workers: u64,
    pub(super) secrets: usize,
    /// The systems that secrets open, by the numbers of the secrets: how each takes a new password.
    pub(super) systems: Vec<Option<Way>>,
    pub(super) services: Vec<ServicePlan>,
    pub(super) stacks: Vec<StackPlan>,
    /// Whether the rotations are done by an account that does not see everything.
    pub(super) scoped: bool,
    /// Whether rotations ask probes.
    pub(super) probed: bool,
}

/// A service in the making.
#[derive(Clone, Debug)]
pub(super) struct ServicePlan {
    pub(super) name: String,
    /// The secrets that it mounts, by number, and the target of each.
    pub(super) mounts: Vec<(usize, String)>,
    /// How many tasks; none for one on each node.
    replicas: Option<u64>,
    action: &'static str,
    start_first: bool,
    health: bool,
    temper: Temper,
    /// Whether its spec has fields that nobody knows.
    odd: bool,
    /// Whether the scoped account sees it.
    hidden: bool,
    /// Whether it says that it belongs to a stack that Portainer does not know.
    by_hand: bool,
    /// Whether it says that it goes first.
    canary: bool,
    /// The service that it says it comes after, by number.
    after: Option<usize>,
    login: LogsIn,
    /// How the probe is that some rotations ask about it.
    pub(super) probe: Manner,
}

/// Whether its containers log in with what they mount, and end if they cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LogsIn {
    Never,
    /// As they start.
    Once,
    /// Then, and after each change of a password.
    Again,
}

/// How its containers take a new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Temper {
    Any,
    /// Exits 3 with the value that nobody should take.
    Picky,
    /// Goes on, but fails its health check.
    Sickly,
    /// Exits 3 unless it reads the first value or the one after it.
    Narrow,
    Slow,
    Stubborn,
}

/// A stack in the making: one service, one or two secrets.
#[derive(Clone, Debug)]
pub(super) struct StackPlan {
    pub(super) name: String,
    pub(super) secrets: Vec<usize>,
    pub(super) kind: StackShape,
    /// Whether variables name its secrets: so with the git stacks of every other seed.
    by_variables: bool,
}

/// Where the stack's file is, and whether it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StackShape {
    File,
    Stopped,
    Git,
}

impl Scene {
    pub(super) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x5ce4_e5ce_4e5c_e4e5);
        let secrets = 1 + number(&mut dice, 4);
        let systems = dice.percent(35);
        let systems: Vec<Option<Way>> = (0..secrets).map(|_| way(&mut dice).filter(|_| systems)).collect();
        let most = if seed.is_multiple_of(64) {
            40
        } else if seed.is_multiple_of(8) {
            8
        } else {
            4
        };
        let count = 1 + number(&mut dice, most);
        let mut services: Vec<ServicePlan> = (0..count).map(|n| ServicePlan::of(&mut dice, n, &systems)).collect();
        let count = if dice.percent(35) { 1 + number(&mut dice, 2) } else { 0 };
        let stacks = (0..count).map(|n| StackPlan::of(&mut dice, n, secrets, seed.is_multiple_of(2))).collect();
        let scoped = dice.percent(if systems.iter().any(Option::is_some) { 5 } else { 25 });
        let workers = dice.below(3);
        for service in &mut services {
            service.login = LogsIn::of(&mut dice, &service.mounts, &systems);
            service.probe = Manner::of(&mut dice);
        }
        let probed = dice.percent(30);
        Self { seed, workers, secrets, systems, services, stacks, scoped, probed }
    }

    /// The account that rotates.
    pub(super) fn account(&self) -> &'static str {
        if self.scoped { AGENT } else { "admin" }
    }

    /// The systems behind the secrets, in which the first values log in.
    pub(super) fn systems(&self) -> Result<Vec<Option<FakeCredential>>> {
        let system = |way: &Option<Way>| {
            let first = |way| SecretValue::new(values::first(Some(way)).to_vec());
            way.map(|way| FakeCredential::new(way, &first(way)?)).transpose()
        };
        self.systems.iter().map(system).collect()
    }

    /// Whether programs of some service log in with what they mount.
    pub(super) fn has_logins(&self) -> bool {
        self.services.iter().any(|service| service.login != LogsIn::Never)
    }

    /// Whether programs of this service log in with what they mount.
    pub(super) fn logs_in(&self, service: &str) -> bool {
        self.services.iter().any(|one| one.name == service && one.login != LogsIn::Never)
    }

    /// The Swarm, after it has settled.
    pub(super) fn build(&self, systems: &[Option<FakeCredential>]) -> Result<SimSwarm> {
        let mut world = SimEngine::builder(self.seed);
        for n in 0..self.workers {
            world = world.node(NodeBuilder::worker(&format!("worker-{n}")));
        }
        for (name, way) in SECRETS.iter().zip(&self.systems) {
            world = world.secret_with(SecretBuilder::new(name, values::first(*way)).label("team", "payments"));
        }
        for service in &self.services {
            world = world.program(&service.name, service.program(systems)).service(service.builder());
        }
        let swarm = SimSwarm::of(world.build(), State::default());
        for stack in &self.stacks {
            stack.deploy(&swarm)?;
        }
        self.share_out(&swarm)?;
        swarm.engine().run_for(Duration::from_secs(60));
        Ok(swarm)
    }

    /// The services that the account sees; none if it sees all.
    pub(super) fn sight(&self, swarm: &SimSwarm) -> Option<BTreeSet<String>> {
        let shown = self.services.iter().filter(|service| !service.hidden).map(|service| service.name.as_str());
        let ids = shown.filter_map(|name| swarm.engine().service_id(name)).collect();
        self.scoped.then_some(ids)
    }

    fn share_out(&self, swarm: &SimSwarm) -> Result<()> {
        let team = {
            let mut state = swarm.portainer().state();
            let (agent, team) = (state.add_user(AGENT, false), state.add_team("payments"));
            state.add_membership(agent, team, false);
            for stack in &self.stacks {
                state.own_stack(&stack.name, &Grant::team(team));
            }
            team
        };
        for (n, name) in SECRETS[..self.secrets].iter().enumerate() {
            // One secret is everybody's, the others are the team's.
            swarm.own_secret(name, &if n == 1 { Grant::public() } else { Grant::team(team) })?;
        }
        for service in self.services.iter().filter(|service| !service.hidden) {
            swarm.own_service(&service.name, &Grant::team(team))?;
        }
        Ok(())
    }
}

fn way(dice: &mut Dice) -> Option<Way> {
    match dice.below(10) {
        0..3 => None,
        3..6 => Some(Way::HoldsTwo),
        6..8 => Some(Way::Alternates),
        _ => Some(Way::Replaces),
    }
}

fn number(dice: &mut Dice, below: usize) -> usize {
    usize::try_from(dice.below(below as u64)).unwrap_or(0)
}

impl ServicePlan {
    fn of(dice: &mut Dice, n: usize, systems: &[Option<Way>]) -> Self {
        let secrets = systems.len();
        let first = number(dice, secrets);
        let mut mounts = vec![(first, target(dice, first, 0))];
        if dice.percent(45) {
            let second = number(dice, secrets);
            mounts.push((second, format!("second-{n}")));
        }
        Self {
            name: format!("s{n}"),
            mounts,
            replicas: if dice.percent(15) { None } else { Some([1, 1, 2, 1, 1, 3, 0][number(dice, 7)]) },
            action: ["pause", "continue", "rollback"][number(dice, 3)],
            start_first: dice.percent(40),
            health: dice.percent(25),
            temper: match dice.below(100) {
                0..60 => Temper::Any,
                60..72 => Temper::Picky,
                72..80 => Temper::Sickly,
                // What it takes are no passwords of a system.
                80..86 if systems[first].is_none() => Temper::Narrow,
                86..94 => Temper::Slow,
                _ => Temper::Stubborn,
            },
            odd: dice.percent(40),
            hidden: dice.percent(25),
            by_hand: dice.percent(10),
            canary: dice.percent(10),
            // Now and then two come after each other, which is refused.
            after: dice
                .percent(15)
                .then(|| {
                    let odd = dice.percent(10);
                    number(dice, if odd { n + 2 } else { n })
                })
                .filter(|after| *after != n),
            login: LogsIn::Never,
            probe: Manner::HONEST,
        }
    }

    fn builder(&self) -> ServiceBuilder {
        let order = if self.start_first { "start-first" } else { "stop-first" };
        let monitor = if self.temper == Temper::Slow { 5_000_000_000_u64 } else { 400_000_000 };
        let restart = if self.login == LogsIn::Never { 1 } else { 20 };
        let mut service = ServiceBuilder::new(&self.name, "local/app:1")
            .restart_delay(Duration::from_secs(restart))
            .update_config(json!({"Parallelism": 1, "FailureAction": self.action, "Monitor": monitor, "Order": order}));
        if self.odd {
            service = service.with(
                "/TaskTemplate/ContainerSpec/Oddity",
                json!({"kept": [1, null, 0.1, 1e-7, -0.5], "z": {"a": ""}}),
            );
            service = service.with(
                "/FromTheFuture",
                json!({"largest": 9_007_199_254_740_991_u64, "text": "<&> \u{2028} \"quoted\""}),
            );
        }
        service = match self.replicas {
            Some(count) => service.replicas(count),
            None => service.global(),
        };
        if self.health || self.temper == Temper::Sickly {
            service = service.health(Duration::from_secs(1), 2);
        }
        if self.by_hand {
            service = service.label("com.docker.stack.namespace", "by-hand");
        }
        if self.canary {
            service = service.label(label::CANARY, "true");
        }
        if let Some(after) = self.after {
            service = service.label(label::AFTER, &format!("s{after}, nobody"));
        }
        for (n, (secret, target)) in self.mounts.iter().enumerate() {
            let mode = if n == 0 { 0o444 } else { 0o400 };
            service = service.secret_as(SECRETS[*secret], target, "0", "33", mode);
        }
        service
    }

    /// What its containers do. Whoever logs in does so with all that it mounts and that opens something.
    fn program(&self, systems: &[Option<FakeCredential>]) -> Program {
        let mut program = self.tempered();
        for (secret, target) in self.mounts.iter().filter(|_| self.login != LogsIn::Never) {
            if let Some(system) = systems.get(*secret).cloned().flatten() {
                program = program.logs_in(target, move |value| system.logs_in(value));
            }
        }
        if self.login == LogsIn::Again { program.logs_in_again() } else { program }
    }

    fn tempered(&self) -> Program {
        let target = self.mounts.first().map_or("", |(_, target)| target);
        let program = match self.temper {
            Temper::Any => Program::runs(),
            Temper::Picky => Program::refuses(target, values::BAD).exit(3),
            Temper::Sickly => Program::refuses(target, values::BAD).unhealthy(),
            Temper::Narrow => Program::needs(target, values::FIRST).or(values::GOOD[0]).exit(3),
            Temper::Slow => return Program::runs().slow(Duration::from_secs(20)),
            Temper::Stubborn => Program::refuses(target, values::BAD).exit(1).ignores_sigterm(),
        };
        program.slow(Duration::from_millis(100))
    }
}

impl LogsIn {
    fn of(dice: &mut Dice, mounts: &[(usize, String)], systems: &[Option<Way>]) -> Self {
        let opens = mounts.iter().any(|(secret, _)| systems[*secret].is_some());
        match dice.below(10) {
            0..3 if opens => Self::Once,
            3..7 if opens => Self::Again,
            _ => Self::Never,
        }
    }
}

fn target(dice: &mut Dice, secret: usize, n: usize) -> String {
    match dice.below(3) {
        0 => format!("/etc/app/{n}.pw"),
        1 => "password".into(),
        _ => SECRETS[secret].into(),
    }
}

impl StackPlan {
    fn of(dice: &mut Dice, n: usize, secrets: usize, by_variables: bool) -> Self {
        let mut mounts = vec![number(dice, secrets)];
        let second = number(dice, secrets);
        if dice.percent(30) && second != mounts[0] {
            mounts.push(second);
        }
        let kind = [StackShape::File, StackShape::File, StackShape::Stopped, StackShape::Git][number(dice, 4)];
        let by_variables = by_variables && kind == StackShape::Git;
        Self { name: format!("stack{n}"), secrets: mounts, kind, by_variables }
    }

    fn file(&self) -> String {
        let mut file = "# a comment\nservices:\n  web:\n    image: local/app:1\n    secrets:\n".to_owned();
        for n in &self.secrets {
            file.push_str(&format!("      - source: key{n}\n        target: /run/{n}\n"));
        }
        file.push_str("secrets:\n");
        for n in &self.secrets {
            let name = if self.by_variables { format!("${{KEY{n}}}") } else { SECRETS[*n].to_owned() };
            file.push_str(&format!("  key{n}:\n    external: true\n    name: {name} # which one\n"));
        }
        file
    }

    fn deploy(&self, swarm: &SimSwarm) -> Result<()> {
        use crate::portainer::PortainerRequest;
        if self.kind == StackShape::Git {
            let name = |n: &usize| (format!("KEY{n}"), SECRETS[*n]);
            let named: Vec<(String, &str)> = self.secrets.iter().filter(|_| self.by_variables).map(name).collect();
            let variables: Vec<(&str, &str)> = named.iter().map(|(key, name)| (key.as_str(), *name)).collect();
            swarm.git_stack("admin", &self.name, (&self.repository(), &self.file()), &variables, None)?;
            return Ok(());
        }
        let number = swarm.file_stack("admin", &self.name, &self.file(), &[("MODE", "prod")])?;
        if self.kind == StackShape::Stopped {
            let stop = PortainerRequest::new("POST", &format!("/api/stacks/{number}/stop")).param("endpointId", "1");
            swarm.ask("admin", stop)?;
        }
        Ok(())
    }

    fn repository(&self) -> String {
        format!("https://git.example.org/{}.git", self.name)
    }
}
