//! A plan, a request for it and people with keys, for the tests.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{ChangeRequest, Draft, Given, Judging, Requester, SignedDecision, Verdict};
use crate::ids::{ClusterId, ControlId, EnvironmentId, PlanDigest, PolicyDigest, TeamId};
use crate::inventory::{Labels, Owner, ServiceMode};
use crate::keys::Keyring;
pub(super) use crate::keys::testing::{Counter, key};
use crate::plan::{
    Allowances, Content, NextVersion, Plan, PlanKind, PlannedConsumer, PlannedMount, PlannedSecret, Rollout, SCHEMA,
    Strategy, Timing, ValueRecipe, VersionRef,
};
use crate::policy::Decision;

pub(super) fn at(time: &str) -> Timestamp {
    format!("2026-05-07T{time}Z").parse().unwrap()
}

pub(super) fn plan() -> Plan {
    plan_as(|_| {})
}

/// A rotation of `db`, which `web` and `worker` mount, with something changed before it is sealed.
pub(super) fn plan_as(change: impl FnOnce(&mut Content)) -> Plan {
    let consumer = |(id, service): (&str, &str)| PlannedConsumer {
        id: id.parse().unwrap(),
        service: service.into(),
        mounts: vec![PlannedMount { target: "db".into(), secret: 0 }],
        wave: 0,
        mode: ServiceMode::Replicated(2),
        restarts: 2,
        stack: None,
        probes: vec![],
    };
    let mut content = Content {
        schema: SCHEMA,
        kind: PlanKind::Rotate,
        environment: EnvironmentId(1),
        cluster: "cluster1".parse().unwrap(),
        simulated: false,
        account: "svc-agent".into(),
        partial: None,
        strategy: Strategy::Swap,
        secrets: vec![PlannedSecret {
            secret: "db".into(),
            recipe: ValueRecipe::Supplied,
            previous: Some(VersionRef { id: "old".parse().unwrap(), name: "db".parse().unwrap() }),
            next: NextVersion { name: "db_v2".parse().unwrap(), version: 2, labels: Labels::new() },
            owner: Some(Owner { control: Some(ControlId(9)), teams: vec![TeamId(1)], ..Owner::default() }),
            credential: None,
        }],
        rollout: Rollout::default(),
        allow: Allowances::default(),
        consumers: [("s0", "web"), ("s1", "worker")].map(consumer).to_vec(),
        stacks: vec![],
        steps: vec![],
        restarts: 4,
        expected: Duration::from_secs(20),
        warnings: vec![],
        decision: Decision::Allow,
        timing: Timing::default(),
        reason: None,
        agent: None,
    };
    change(&mut content);
    Plan::seal(content).unwrap()
}

pub(super) fn draft() -> Draft {
    let who = Requester { account: "svc-agent".into(), agent: Some("claude".into()) };
    let policy = PolicyDigest::from_sha256([5; 32]);
    Draft {
        reasoning: "the password is ninety days old".into(),
        fingerprints: BTreeMap::from([("db".to_owned(), FINGERPRINT.to_owned())]),
        ..Draft::new(plan(), who, "https://portainer.example", policy, at("12:00:00"))
    }
}

pub(super) const FINGERPRINT: &str = "hmac-sha256:0123456789abcdef0123456789abcdef";

/// The draft with something changed, sealed.
pub(super) fn request_as(change: impl FnOnce(&mut Draft)) -> ChangeRequest {
    let mut draft = draft();
    change(&mut draft);
    draft.seal(&mut Counter(77)).unwrap()
}

/// `alice` with two keys, 1 and 2; `bob` with 3, `Claude` with 4, `svc-agent` with 5.
pub(super) fn keyring() -> Keyring {
    let mut ring = Keyring::new();
    for (n, who) in [(1, "alice"), (2, "alice"), (3, "bob"), (4, "Claude"), (5, "svc-agent")] {
        ring.add(who, key(n).public()).unwrap();
    }
    ring
}

/// What the keyring's owner of the key says.
pub(super) fn says(request: &ChangeRequest, n: u64, verdict: Verdict) -> SignedDecision {
    let (ring, key) = (keyring(), key(n));
    let who = ring.get(&key.public().id()).map_or("mallory", |entry| entry.identity());
    SignedDecision::sign(request, verdict, who, at("12:05:00"), None, &key).unwrap()
}

/// The same, as it is judged.
pub(super) fn given(request: &ChangeRequest, n: u64, verdict: Verdict) -> Given {
    says(request, n, verdict).into()
}

/// The world in which the request of [`draft`] may be carried out, but for its keyring.
pub(super) struct World {
    pub(super) keyring: Keyring,
    pub(super) now: Timestamp,
    pub(super) instance: String,
    pub(super) environment: EnvironmentId,
    pub(super) cluster: ClusterId,
    pub(super) policy: PolicyDigest,
    pub(super) plan: PlanDigest,
    pub(super) fingerprints: BTreeMap<String, String>,
}

impl World {
    pub(super) fn of(request: &ChangeRequest) -> Self {
        Self {
            keyring: keyring(),
            now: at("12:10:00"),
            instance: request.instance.clone(),
            environment: request.environment,
            cluster: request.cluster.clone(),
            policy: request.policy.clone(),
            plan: request.plan.digest().clone(),
            fingerprints: request.fingerprints.clone(),
        }
    }

    pub(super) fn judging(&self) -> Judging<'_> {
        Judging {
            keyring: &self.keyring,
            now: self.now,
            instance: &self.instance,
            environment: self.environment,
            cluster: &self.cluster,
            policy: &self.policy,
            plan: &self.plan,
            fingerprints: &self.fingerprints,
        }
    }
}
