//! Approvers.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;
use swarmsecrets_core::approval::{Approver, ChangeRequest, Given, ReadBack, SignedDecision, Verdict};
use swarmsecrets_core::{Error, ErrorKind, Result};

use super::{Done, Plugin};
use crate::approval;

/// `swarmsecrets.approval.Approver`.
pub(crate) struct Desk(pub(crate) Plugin);

/// A decision, as its adapter writes it down.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    /// The document of a signed decision.
    Signed(String),
    ReadBack {
        request: String,
        verdict: Verdict,
        account: String,
        at: Timestamp,
        reference: String,
    },
}

impl Written {
    fn given(self) -> Result<Given> {
        match self {
            Self::Signed(text) => SignedDecision::from_json(text.as_bytes()).map(Given::Signed),
            Self::ReadBack { request, verdict, account, at, reference } => {
                ReadBack::new(request.parse()?, verdict, &account, at, &reference).map(Given::ReadBack)
            }
        }
    }
}

#[async_trait]
impl Approver for Desk {
    async fn request(&self, request: &ChangeRequest) -> Result<()> {
        let known = self.0.ask("request", (approval::ChangeRequest(request.clone()),)).await;
        known.map(|Done| ())
    }

    async fn decisions(&self, request: &ChangeRequest) -> Result<Vec<Given>> {
        let told: String = self.0.ask("decisions", (approval::ChangeRequest(request.clone()),)).await?;
        let written: Vec<Written> = serde_json::from_str(&told).map_err(|e| {
            let text = format!("{} answered `decisions` with what is no decision: {e}", self.0.what);
            Error::new(ErrorKind::Protocol, text)
        })?;
        let given: Result<Vec<Given>> = written.into_iter().map(Written::given).collect();
        given.map_err(|e| e.context(&self.0.what))
    }

    fn name(&self) -> &str {
        &self.0.told
    }
}
