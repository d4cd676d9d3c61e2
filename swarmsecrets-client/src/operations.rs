//! What can be done by a client, be it in this program or behind a server.

use async_trait::async_trait;
use swarmsecrets_core::Result;
use swarmsecrets_core::approval::{ChangeRequest, Given};
use swarmsecrets_core::executor::Values;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::rotation::Report;

use crate::client::{Client, Order};
use crate::question::{Listed, Question, Said};
use crate::wanted::{Wanted, WantedFirst};

/// Which secrets there are and what uses them.
pub enum Seen {
    /// As it was read here.
    Graph(Box<Inventory>),
    /// As a server has told it: the document of `inventory --json`.
    Document(String),
}

/// What is to be carried out.
pub struct Change<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Values that are handed over.
    pub values: Values,
    /// What people have approved, and decisions in hand that stand beside those of the approvers.
    pub approval: Option<(&'a ChangeRequest, Vec<Given>)>,
}

/// What a [`Client`] can do, for programs that do not care where the API key is.
#[async_trait]
pub trait Operations: Send + Sync {
    /// As [`inventory`](crate::ReadOnlyClient::inventory).
    async fn inventory(&self) -> Result<Seen>;
    /// As [`plan`](crate::ReadOnlyClient::plan).
    async fn plan(&self, wanted: Wanted) -> Result<Plan>;
    /// As [`plan_create`](crate::ReadOnlyClient::plan_create).
    async fn plan_create(&self, wanted: WantedFirst) -> Result<Plan>;
    /// As [`ask_people`](crate::ReadOnlyClient::ask_people).
    async fn ask_people(&self, plan: &Plan, values: &Values, reason: Option<&str>) -> Result<ChangeRequest>;
    /// As [`explain`](crate::ReadOnlyClient::explain).
    async fn explain(&self, question: &Question) -> Result<Said>;
    /// As [`due`](crate::ReadOnlyClient::due).
    async fn due(&self) -> Result<Vec<Listed>>;
    /// As [`unfinished`](crate::ReadOnlyClient::unfinished).
    async fn unfinished(&self) -> Result<Vec<Report>>;
    /// As [`apply`](Client::apply) and [`apply_approved`](Client::apply_approved).
    async fn apply(&self, change: Change<'_>, order: &Order<'_>) -> Result<Report>;
    /// As [`resume`](Client::resume).
    async fn resume(&self, id: &RotationId, values: Values, order: &Order<'_>) -> Result<Report>;
    /// As [`rollback`](Client::rollback).
    async fn rollback(&self, id: &RotationId, order: &Order<'_>) -> Result<Report>;
    /// As [`close`](Client::close).
    async fn close(&self, id: &RotationId, order: &Order<'_>) -> Result<Report>;
    /// As [`retire`](Client::retire).
    async fn retire(&self, order: &Order<'_>) -> Result<Vec<Report>>;
}

#[async_trait]
impl Operations for Client {
    async fn inventory(&self) -> Result<Seen> {
        Ok(Seen::Graph(Box::new((**self).inventory().await?)))
    }

    async fn plan(&self, wanted: Wanted) -> Result<Plan> {
        (**self).plan(wanted).await
    }

    async fn plan_create(&self, wanted: WantedFirst) -> Result<Plan> {
        (**self).plan_create(wanted).await
    }

    async fn ask_people(&self, plan: &Plan, values: &Values, reason: Option<&str>) -> Result<ChangeRequest> {
        (**self).ask_people(plan, values, reason).await
    }

    async fn explain(&self, question: &Question) -> Result<Said> {
        (**self).explain(question).await
    }

    async fn due(&self) -> Result<Vec<Listed>> {
        (**self).due().await
    }

    async fn unfinished(&self) -> Result<Vec<Report>> {
        (**self).unfinished().await
    }

    async fn apply(&self, change: Change<'_>, order: &Order<'_>) -> Result<Report> {
        match change.approval {
            None => Client::apply(self, change.plan, change.values, order).await,
            Some((request, in_hand)) => self.apply_approved(request, change.plan, in_hand, change.values, order).await,
        }
    }

    async fn resume(&self, id: &RotationId, values: Values, order: &Order<'_>) -> Result<Report> {
        Client::resume(self, id, values, order).await
    }

    async fn rollback(&self, id: &RotationId, order: &Order<'_>) -> Result<Report> {
        Client::rollback(self, id, order).await
    }

    async fn close(&self, id: &RotationId, order: &Order<'_>) -> Result<Report> {
        Client::close(self, id, order).await
    }

    async fn retire(&self, order: &Order<'_>) -> Result<Vec<Report>> {
        Client::retire(self, order).await
    }
}
