//! What programs without an API key hold.

mod link;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use swarmsecrets_client::{Change, Listed, Operations, Order, Question, Said, Seen, Wanted, WantedFirst};
use swarmsecrets_core::approval::{ChangeRequest, Given};
use swarmsecrets_core::executor::Values;
use swarmsecrets_core::ids::{RequestDigest, RotationId};
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::rotation::Report;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use self::link::{Link, text};
use crate::wire::{Asked, Caller, Ordered, Why};

/// The way to a server that holds the API key. It does what a client does, but for what the server does not offer: values cannot be handed over.
pub struct Remote(Link);

impl Remote {
    /// The server at an address, such as `unix:/run/swarmsecrets/socket` or `http://127.0.0.1:7979`. Nothing is sent yet.
    ///
    /// # Errors
    /// `Settings` if the address is none, or one of another machine, or if the token cannot be one.
    pub fn new(address: &str, token: &SecretValue) -> Result<Self> {
        Link::new(address, token).map(Self)
    }

    /// Who one is there.
    ///
    /// # Errors
    /// `Unauthorized` if the server does not know the token, `Unreachable` if nobody answers.
    pub async fn caller(&self) -> Result<Caller> {
        self.0.get("/v1").await.and_then(|answer| parsed(&answer))
    }

    /// A change request that was made before.
    ///
    /// # Errors
    /// `NotFound` if there is none with this digest, and those of the way there.
    pub async fn change_request(&self, digest: &RequestDigest) -> Result<ChangeRequest> {
        ChangeRequest::from_json(self.0.get(&format!("/v1/requests/{digest}")).await?.as_bytes())
    }

    async fn carry<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
        order: &Order<'_>,
    ) -> Result<T> {
        if order.accept_inconclusive {
            return Err(not_offered("taking a service for good although its probes cannot tell is"));
        }
        let done: Box<RawValue> = self.0.carry(path, body, order).await?;
        parsed(done.get())
    }
}

fn parsed<T: DeserializeOwned>(document: &str) -> Result<T> {
    serde_json::from_str(document)
        .map_err(|e| Error::new(ErrorKind::Protocol, format!("the answer of the server cannot be read: {e}")))
}

fn not_offered(what: &str) -> Error {
    let text = format!("{what} not offered by a server: a person does it where the API key is");
    Error::new(ErrorKind::Denied, text)
}

/// Values do not cross the socket.
fn check(values: &Values) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let text = "a value cannot be handed over to a server: let it generate one, or name a source of its own";
    Err(Error::new(ErrorKind::Denied, text))
}

#[async_trait]
impl Operations for Remote {
    async fn inventory(&self) -> Result<Seen> {
        self.0.get("/v1/inventory").await.map(Seen::Document)
    }

    async fn plan(&self, wanted: Wanted) -> Result<Plan> {
        Plan::from_json(self.0.post("/v1/plans", &wanted).await?.as_bytes())
    }

    async fn plan_create(&self, wanted: WantedFirst) -> Result<Plan> {
        Plan::from_json(self.0.post("/v1/plans/create", &wanted).await?.as_bytes())
    }

    async fn ask_people(&self, plan: &Plan, values: &Values, reason: Option<&str>) -> Result<ChangeRequest> {
        check(values)?;
        let asked = Asked { plan: plan.digest().clone(), reason: reason.map(str::to_owned) };
        ChangeRequest::from_json(self.0.post("/v1/requests", &asked).await?.as_bytes())
    }

    async fn explain(&self, question: &Question) -> Result<Said> {
        parsed(&self.0.post("/v1/explain", question).await?)
    }

    async fn due(&self) -> Result<Vec<Listed>> {
        parsed(&self.0.get("/v1/due").await?)
    }

    async fn unfinished(&self) -> Result<Vec<Report>> {
        parsed(&self.0.get("/v1/rotations").await?)
    }

    async fn apply(&self, change: Change<'_>, order: &Order<'_>) -> Result<Report> {
        check(&change.values)?;
        let (request, in_hand) = change.approval.map_or((None, Vec::new()), |(request, given)| (Some(request), given));
        let mut decisions = Vec::new();
        for given in in_hand {
            match given {
                Given::Signed(decision) => decisions.push(decision.to_json().and_then(text)?),
                // What a system has recorded counts as brought by its approver, which is where the server is.
                Given::ReadBack(_) => return Err(not_offered("a decision that was read back elsewhere is")),
            }
        }
        let ordered = Ordered {
            plan: change.plan.digest().clone(),
            request: request.map(|request| request.digest().clone()),
            decisions,
            reason: order.reason.clone(),
        };
        self.carry("/v1/apply", &ordered, order).await
    }

    async fn resume(&self, id: &RotationId, values: Values, order: &Order<'_>) -> Result<Report> {
        check(&values)?;
        self.carry(&format!("/v1/rotations/{id}/resume"), &Why { reason: order.reason.clone() }, order).await
    }

    async fn rollback(&self, id: &RotationId, order: &Order<'_>) -> Result<Report> {
        self.carry(&format!("/v1/rotations/{id}/rollback"), &Why { reason: order.reason.clone() }, order).await
    }

    async fn close(&self, _: &RotationId, _: &Order<'_>) -> Result<Report> {
        Err(not_offered("saying that a rotation is seen to is"))
    }

    async fn retire(&self, order: &Order<'_>) -> Result<Vec<Report>> {
        self.carry("/v1/retire", &Why { reason: order.reason.clone() }, order).await
    }
}
