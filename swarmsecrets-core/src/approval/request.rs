//! What is asked for: a plan and all that an approval of it is bound to, sealed, so that a change tells.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::SCHEMA;
use super::blast::{BlastRadius, Risk};
use super::encoding::{Encoding, check_schema, unreadable};
use crate::duration::short;
use crate::error::{Error, ErrorKind, Result};
use crate::generate::Random;
use crate::ids::{ClusterId, EnvironmentId, Nonce, PolicyDigest, RequestDigest, is_unprintable, quoted};
use crate::keys::{check_name, draw};
use crate::plan::Plan;
use crate::policy::{LONGEST_VALID, USUALLY_VALID};

/// Longest reasoning, in bytes.
const LONGEST_REASONING: usize = 16 * 1024;
/// Longest name of an instance, in bytes.
const LONGEST_INSTANCE: usize = 512;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// The Portainer account.
    pub account: String,
    /// The AI agent, if one asks.
    pub agent: Option<String>,
}

/// The time in which a change may be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// From then on.
    pub opens: Timestamp,
    /// Until then, and not at that moment itself.
    pub closes: Timestamp,
}

/// What goes into a change request, before it is sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Who asks.
    pub requester: Requester,
    /// Why, in the words of who asks. They are shown to people, and decide nothing.
    pub reasoning: String,
    /// What is to be done.
    pub plan: Plan,
    /// Which Portainer it is: the origin of its URL, written in the same way when the request is judged.
    pub instance: String,
    /// The policy that was in force.
    pub policy: PolicyDigest,
    /// The keyed fingerprints of the values that are in hand, by the names of the logical secrets; never values. A secret that
    /// is not among them gets the value that its recipe in the plan says.
    pub fingerprints: BTreeMap<String, String>,
    /// When it may be carried out, if not at any time before it expires.
    pub window: Option<Window>,
    /// When it was made.
    pub created: Timestamp,
    /// How long it is valid; [`LONGEST_VALID`] at most.
    pub valid_for: Duration,
    /// How many different people must approve; at least 1.
    pub approvals: u32,
}

impl Draft {
    /// A request that one person approves within [`USUALLY_VALID`], without a reason, a value in hand or a window.
    #[must_use]
    pub fn new(
        plan: Plan,
        requester: Requester,
        instance: impl Into<String>,
        policy: PolicyDigest,
        created: Timestamp,
    ) -> Self {
        Self {
            requester,
            reasoning: String::new(),
            plan,
            instance: instance.into(),
            policy,
            fingerprints: BTreeMap::new(),
            window: None,
            created,
            valid_for: USUALLY_VALID,
            approvals: 1,
        }
    }

    /// Seals the request: draws its nonce and computes its digest.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for what no request can hold, such as a time longer than [`LONGEST_VALID`]; what the random
    /// source says.
    pub fn seal(self, random: &mut dyn Random) -> Result<ChangeRequest> {
        // Before the times: one that is much too long may not fit into a timestamp.
        let expires = self.created.checked_add(self.valid_for.min(LONGEST_VALID + Duration::from_secs(1)));
        let mut nonce = [0; 32];
        draw(random, &mut nonce)?;
        let nonce = Nonce::from_random(nonce);
        let asked = Asked {
            created: self.created,
            expires: expires.map_err(|e| invalid("the request was made at a time that is none").with_source(e))?,
            window: self.window,
            requester: self.requester,
            reasoning: self.reasoning,
            instance: self.instance,
            environment: self.plan.environment,
            cluster: self.plan.cluster.clone(),
            policy: self.policy,
            approvals: self.approvals,
            fingerprints: self.fingerprints,
            nonce,
            blast: BlastRadius::of(&self.plan),
            risk: Risk::of(&self.plan),
            plan: self.plan,
        };
        ChangeRequest::of(asked)
    }
}

/// What a change request says. Reached through [`ChangeRequest`], which dereferences to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Asked {
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is good for nothing.
    pub expires: Timestamp,
    /// When it may be carried out, if not at any time before it expires.
    pub window: Option<Window>,
    /// Who asks.
    pub requester: Requester,
    /// Why, in the words of who asks.
    pub reasoning: String,
    /// Which Portainer it is.
    pub instance: String,
    /// The environment; the plan's.
    pub environment: EnvironmentId,
    /// The Swarm; the plan's.
    pub cluster: ClusterId,
    /// The policy that was in force.
    pub policy: PolicyDigest,
    /// How many different people must approve.
    pub approvals: u32,
    /// The keyed fingerprints of the values that were in hand, by the names of the logical secrets.
    pub fingerprints: BTreeMap<String, String>,
    /// What makes an approval good for one use.
    pub nonce: Nonce,
    /// What the plan touches.
    pub blast: BlastRadius,
    /// How bad it could get.
    pub risk: Risk,
    /// What is to be done.
    pub plan: Plan,
}

/// A change request that cannot be changed without its digest telling.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeRequest {
    digest: RequestDigest,
    asked: Asked,
}

impl ChangeRequest {
    fn of(asked: Asked) -> Result<Self> {
        asked.check()?;
        Ok(Self { digest: asked.digest(), asked })
    }

    /// Reads a request from its JSON, and checks that it is the request that was made, of the plan that was made.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is not a request, is of another format, or was changed since it was made.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        const WHAT: &str = "change request";
        check_schema(WHAT, bytes)?;
        let read: Document<'_> = serde_json::from_slice(bytes).map_err(|e| unreadable(WHAT, &e))?;
        let plan =
            Plan::from_json(read.plan.get().as_bytes()).map_err(|e| e.context("the plan of the change request"))?;
        let changed =
            |what: &str| invalid(format!("the change request was changed after it was made: {what}; make it again"));
        if (read.environment, &read.cluster) != (plan.environment, &plan.cluster) {
            return Err(changed("it names another Swarm than its plan"));
        }
        if read.blast != BlastRadius::of(&plan) || read.risk != Risk::of(&plan) {
            return Err(changed("what it says of its plan's reach and risk is not so"));
        }
        let request = Self::of(Asked {
            created: read.created,
            expires: read.expires,
            window: read.window,
            requester: read.requester,
            reasoning: read.reasoning,
            instance: read.instance,
            environment: read.environment,
            cluster: read.cluster,
            policy: read.policy,
            approvals: read.approvals,
            fingerprints: read.fingerprints,
            nonce: read.nonce,
            blast: read.blast,
            risk: read.risk,
            plan,
        })?;
        if request.digest != read.digest {
            return Err(changed("its content does not fit its digest"));
        }
        Ok(request)
    }

    /// Its JSON, which [`ChangeRequest::from_json`] reads.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it cannot be encoded.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)
            .map_err(|e| invalid("the change request cannot be encoded").with_source(e))?;
        json.push(b'\n');
        Ok(json)
    }

    /// The SHA-256 over `swarmsecrets change request 1` and a line feed, and these fields in this order: `created`, `expires`;
    /// `opens` and `closes`, of the window; `account`, `agent`; `reasoning`; `instance`; `environment`; `cluster`; `policy`;
    /// `approvals`; the list `fingerprints`, sorted by its names, of `secret` and `fingerprint`; `nonce`; the list `services` of
    /// `service`; `restarts`; the list `stacks` of `stack`; the list `teams` of `team`; `risk`; the list `reasons` of
    /// `reason`; `plan`, which is the plan's digest ([`Plan::digest`]).
    ///
    /// A field is its name, a space, the number of its bytes, a line feed, its bytes, and a line feed; one that is not there
    /// is its name and ` -` and a line feed. Before the members of a list stands its name, ` * `, their number, and a line
    /// feed. Texts are in UTF-8, digests in hexadecimal as in the JSON, numbers in decimal, the risk is its word, and times are
    /// nanoseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn digest(&self) -> &RequestDigest {
        &self.digest
    }
}

impl Deref for ChangeRequest {
    type Target = Asked;
    fn deref(&self) -> &Asked {
        &self.asked
    }
}

impl Serialize for ChangeRequest {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            schema: u32,
            digest: &'a RequestDigest,
            #[serde(flatten)]
            asked: &'a Asked,
        }
        Document { schema: SCHEMA, digest: &self.digest, asked: &self.asked }.serialize(to)
    }
}

/// The document as it is read. The plan stays text, for its own reader.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[serde(rename = "schema")]
    _schema: u32,
    digest: RequestDigest,
    created: Timestamp,
    expires: Timestamp,
    window: Option<Window>,
    requester: Requester,
    reasoning: String,
    instance: String,
    environment: EnvironmentId,
    cluster: ClusterId,
    policy: PolicyDigest,
    approvals: u32,
    fingerprints: BTreeMap<String, String>,
    nonce: Nonce,
    blast: BlastRadius,
    risk: Risk,
    #[serde(borrow)]
    plan: &'a RawValue,
}

impl Asked {
    /// What no request can hold, whoever wrote it.
    fn check(&self) -> Result<()> {
        check_name("requester", &self.requester.account)?;
        self.requester.agent.iter().try_for_each(|agent| check_name("requesting agent", agent))?;
        if self.reasoning.len() > LONGEST_REASONING {
            return Err(invalid("the reasoning of the change request is longer than 16 KiB: shorten it"));
        }
        self.check_instance()?;
        self.check_times()?;
        if self.approvals == 0 {
            return Err(invalid("a change request that nobody must approve is none: ask for 1 approval at least"));
        }
        for (secret, fingerprint) in &self.fingerprints {
            if !self.plan.secrets.iter().any(|planned| planned.secret == *secret) {
                let name = quoted(secret);
                return Err(invalid(format!("the plan has no secret {name}, of whose value there is a fingerprint")));
            }
            let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_:+/=.".contains(&b);
            if !((16..=128).contains(&fingerprint.len()) && fingerprint.bytes().all(fits)) {
                // It is not shown: somebody may have handed over the value itself.
                let name = quoted(secret);
                return Err(invalid(format!(
                    "what is given for the value of {name} is no fingerprint: 16 to 128 letters, digits and `-_:+/=.`"
                )));
            }
        }
        Ok(())
    }

    fn check_instance(&self) -> Result<()> {
        let bad = |c: char| is_unprintable(c) || c.is_whitespace();
        if self.instance.is_empty() || self.instance.len() > LONGEST_INSTANCE || self.instance.chars().any(bad) {
            let text = format!(
                "{} does not name a Portainer: give the origin of its URL, without spaces, up to 512 bytes",
                quoted(&self.instance)
            );
            return Err(invalid(text));
        }
        if self.instance.contains('@') {
            // It is not shown: a password may stand in it.
            return Err(invalid("the Portainer of a change request is named with an account: give the origin alone"));
        }
        Ok(())
    }

    fn check_times(&self) -> Result<()> {
        let valid = self.expires.duration_since(self.created);
        if valid.is_negative() || valid.is_zero() {
            return Err(invalid("the change request expires before it is made: let it be valid for some minutes"));
        }
        if valid.unsigned_abs() > LONGEST_VALID {
            return Err(invalid(format!(
                "a change request is valid for {} at most: ask again when it has expired",
                short(LONGEST_VALID)
            )));
        }
        match self.window {
            Some(Window { opens, closes }) if opens >= closes => {
                Err(invalid(format!("the maintenance window closes at {closes}, before it opens at {opens}")))
            }
            Some(Window { opens, .. }) if opens >= self.expires => Err(invalid(format!(
                "the maintenance window opens at {opens}, when the change request has expired ({}): ask for it later, or let it be valid for longer",
                self.expires
            ))),
            Some(Window { closes, .. }) if closes <= self.created => Err(invalid(format!(
                "the maintenance window has closed at {closes}, before the change request was made"
            ))),
            _ => Ok(()),
        }
    }

    /// See [`ChangeRequest::digest`].
    fn digest(&self) -> RequestDigest {
        let mut to = Encoding::of("swarmsecrets change request");
        to.time("created", self.created).time("expires", self.expires);
        let moment = |at: Timestamp| at.as_nanosecond().to_string();
        to.optional("opens", self.window.map(|window| moment(window.opens)));
        to.optional("closes", self.window.map(|window| moment(window.closes)));
        to.field("account", &self.requester.account).optional("agent", self.requester.agent.as_ref());
        to.field("reasoning", &self.reasoning).field("instance", &self.instance);
        to.field("environment", self.environment.to_string()).field("cluster", self.cluster.as_str());
        to.field("policy", self.policy.as_str()).field("approvals", self.approvals.to_string());
        let fingerprints: Vec<(&String, &String)> = self.fingerprints.iter().collect();
        to.list("fingerprints", &fingerprints, |to, (secret, fingerprint)| {
            to.field("secret", secret).field("fingerprint", fingerprint);
        });
        to.field("nonce", self.nonce.as_str());
        let names = |to: &mut Encoding, list: &str, member: &str, names: &[String]| {
            to.list(list, names, |to, name| {
                to.field(member, name);
            });
        };
        names(&mut to, "services", "service", &self.blast.services);
        to.field("restarts", self.blast.restarts.to_string());
        names(&mut to, "stacks", "stack", &self.blast.stacks);
        names(&mut to, "teams", "team", &self.blast.teams);
        to.field("risk", self.risk.level.word());
        names(&mut to, "reasons", "reason", &self.risk.reasons);
        to.field("plan", self.plan.digest().as_str());
        RequestDigest::from_sha256(Sha256::digest(to.bytes()).into())
    }
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, text)
}
