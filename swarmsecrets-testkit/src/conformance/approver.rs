//! What every [`Approver`] must do.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use swarmsecrets_core::approval::{
    Approved, Approver, Approvers, ChangeRequest, Draft, Given, Judging, Refusal, Requester, Verdict, judge,
};
use swarmsecrets_core::executor::read_inventory;
use swarmsecrets_core::generate::{GenerateSpec, Random};
use swarmsecrets_core::ids::{EnvironmentId, PolicyDigest};
use swarmsecrets_core::inventory::Labels;
use swarmsecrets_core::keys::Keyring;
use swarmsecrets_core::plan::{CreateRequest, ValueRecipe, plan_create};

use super::must;
use crate::SimSwarm;

/// The name that the approver under test has: what it reads back counts as that of the system with this name.
pub const SYSTEM: &str = "under-test";
/// The people who may decide. The last one asks for all changes, and may not.
pub const PEOPLE: [&str; 3] = ["alice", "bob", "svc-agent"];

const INSTANCE: &str = "https://portainer.example";
/// Text that a careless approver would lose, run, or take for its own.
const ODD: &str = "line one\nline two: {{x}} *bold* [link](https://x.example) <b>&amp;</b> \"q\" \\ ünïcode \u{1f511} \u{1b}[31m\u{202e}";

/// Where an approver is tried.
#[async_trait]
pub trait Stage: Sync {
    /// The approver, opened anew as another process would.
    fn open(&self) -> Arc<dyn Approver>;

    /// One of [`PEOPLE`] decides on a request that was made known, in the way in which they do.
    async fn decide(&self, request: &ChangeRequest, person: &str, verdict: Verdict);

    /// How often people were told of the request: files, messages, tickets.
    async fn told(&self, request: &ChangeRequest) -> usize;

    /// The keys of [`PEOPLE`], or their accounts in [`SYSTEM`].
    fn keyring(&self) -> Keyring;

    /// What time it is for people.
    fn now(&self) -> Timestamp;
}

/// Runs the suite.
///
/// # Panics
/// If the approver breaks a promise of the trait.
pub async fn check(stage: &dyn Stage) {
    let desk = Desk::new(stage).await;
    desk.a_request_is_made_known_once().await;
    desk.what_people_decide_comes_back().await;
    desk.each_request_has_its_own_decisions().await;
    desk.a_denial_is_not_lost().await;
    desk.who_decided_is_told_apart().await;
    desk.odd_text_is_carried().await;
}

/// A request that somebody of [`PEOPLE`] makes now, for the further tests of an approver.
///
/// # Panics
/// If none can be made.
pub async fn sample_request() -> ChangeRequest {
    made_at(Timestamp::now(), &SimSwarm::new(7), "sample", 1, "due").await
}

/// An approver, its people, and requests for them.
struct Desk<'a> {
    stage: &'a dyn Stage,
    swarm: SimSwarm,
}

impl<'a> Desk<'a> {
    async fn new(stage: &'a dyn Stage) -> Self {
        let name = stage.open().name().to_owned();
        let shown = !name.trim().is_empty() && !name.chars().any(char::is_control);
        assert!(shown, "an approver has a name that people can read");
        Self { stage, swarm: SimSwarm::new(7) }
    }

    /// A request of its own, whatever else was asked for.
    async fn ask(&self, secret: &str, approvals: u32, reasoning: &str) -> ChangeRequest {
        made_at(self.stage.now(), &self.swarm, secret, approvals, reasoning).await
    }

    /// A request that was made known.
    async fn known(&self, secret: &str, approvals: u32, reasoning: &str) -> ChangeRequest {
        let request = self.ask(secret, approvals, reasoning).await;
        must("a request is made known", self.stage.open().request(&request).await);
        request
    }

    async fn decisions(&self, request: &ChangeRequest) -> Vec<Given> {
        let approvers = must("the approver has a name", Approvers::default().and(SYSTEM, self.stage.open()));
        must("what was decided can be told", approvers.decisions(request).await)
    }

    async fn judged(&self, request: &ChangeRequest) -> Result<Approved, Refusal> {
        let keyring = self.stage.keyring();
        let judging = Judging {
            keyring: &keyring,
            now: self.stage.now(),
            instance: INSTANCE,
            environment: request.environment,
            cluster: &request.cluster,
            policy: &request.policy,
            plan: request.plan.digest(),
            fingerprints: &BTreeMap::new(),
        };
        judge(request, &self.decisions(request).await, judging)
    }

    async fn a_request_is_made_known_once(&self) {
        let request = self.ask("known_once", 1, "due").await;
        let before = self.decisions(&request).await;
        assert!(before.is_empty(), "nobody has decided on what nobody knows");
        assert_eq!(self.stage.told(&request).await, 0, "nobody was told of it");
        for way in ["a request is made known", "that it is known already is no error"] {
            must(way, self.stage.open().request(&request).await);
            assert_eq!(self.stage.told(&request).await, 1, "people are told of a request once");
        }
        assert!(self.decisions(&request).await.is_empty(), "nobody has decided yet, and that is no error");
    }

    async fn what_people_decide_comes_back(&self) {
        let request = self.known("decided", 2, "due").await;
        self.stage.decide(&request, "alice", Verdict::Approve).await;
        let one = self.judged(&request).await;
        assert_eq!(one, Err(Refusal::NotEnough { missing: 1, needed: 2 }), "the word of one person is that of one");
        self.stage.decide(&request, "bob", Verdict::Approve).await;
        for _ in 0..2 {
            match self.judged(&request).await {
                Ok(approved) => assert_eq!(approved.approvers(), ["alice", "bob"], "who approved is told"),
                Err(refusal) => assert_eq!(refusal.to_string(), "", "what two people approved is approved"),
            }
        }
        must("a request that is decided can be asked for again", self.stage.open().request(&request).await);
        assert_eq!(self.stage.told(&request).await, 1, "people are told of a request once, decided or not");
        assert!(self.judged(&request).await.is_ok(), "what was decided stays");
    }

    async fn each_request_has_its_own_decisions(&self) {
        let (one, other) = (self.known("first", 1, "due").await, self.known("second", 1, "due").await);
        self.stage.decide(&one, "alice", Verdict::Approve).await;
        assert!(self.decisions(&other).await.is_empty(), "a decision on one request is none on another");
        let mine = self.decisions(&one).await;
        assert!(mine.iter().all(|given| given.request() == one.digest()), "a decision names the request that it is on");
        assert!(self.judged(&one).await.is_ok(), "and counts for it");
    }

    async fn a_denial_is_not_lost(&self) {
        let request = self.known("denied", 1, "due").await;
        self.stage.decide(&request, "alice", Verdict::Approve).await;
        self.stage.decide(&request, "bob", Verdict::Deny).await;
        let denied = Refusal::DeniedBy { who: vec!["bob".to_owned()] };
        assert_eq!(self.judged(&request).await, Err(denied), "who denies is told, whatever others say");
    }

    async fn who_decided_is_told_apart(&self) {
        let request = self.known("own", 1, "due").await;
        self.stage.decide(&request, PEOPLE[2], Verdict::Approve).await;
        let own = Refusal::SelfApproved { who: vec![PEOPLE[2].to_owned()] };
        assert_eq!(self.judged(&request).await, Err(own), "who asks is told from who may approve");
    }

    async fn odd_text_is_carried(&self) {
        let request = self.known("odd", 1, ODD).await;
        assert_eq!(self.stage.told(&request).await, 1, "a request with odd text is made known");
        self.stage.decide(&request, "bob", Verdict::Approve).await;
        assert!(self.judged(&request).await.is_ok(), "and decided on");
    }
}

/// A request at this time.
async fn made_at(now: Timestamp, swarm: &SimSwarm, secret: &str, approvals: u32, reasoning: &str) -> ChangeRequest {
    let read = read_inventory(&swarm.client(), EnvironmentId(1), &swarm.clock()).await;
    let inventory = must("the simulated world can be read", read);
    let create = CreateRequest {
        name: secret.to_owned(),
        recipe: ValueRecipe::Generate(GenerateSpec::default()),
        labels: Labels::new(),
        reason: None,
        agent: None,
    };
    let plan = must("a secret can be planned", plan_create(&inventory, &create));
    let who = Requester { account: PEOPLE[2].to_owned(), agent: None };
    let draft = Draft::new(plan, who, INSTANCE, PolicyDigest::from_sha256([5; 32]), now);
    let draft = Draft { approvals, reasoning: reasoning.to_owned(), ..draft };
    must("a request can be made", draft.seal(&mut OwnBytes))
}

/// Bytes that no other request has: those of a hash with a key of this process.
struct OwnBytes;

impl Random for OwnBytes {
    fn fill(&mut self, into: &mut [u8]) -> swarmsecrets_core::Result<()> {
        use std::hash::{BuildHasher as _, RandomState};
        for chunk in into.chunks_mut(8) {
            let bytes = RandomState::new().hash_one(0).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}
