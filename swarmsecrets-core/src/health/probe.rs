//! The trait of the probes, and what they are asked about.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::exec::Exec;
use crate::ids::{NodeId, SecretName, ServiceId, TaskId};
use crate::inventory::label;
use crate::model::{ServiceState, TaskState};

/// The largest baseline that a probe may keep, in bytes of JSON: it goes into the journal.
pub const MAX_BASELINE_BYTES: usize = 16 * 1024;

/// Asks a service whether it works.
///
/// An implementation keeps to a deadline of its own, changes nothing but through the [`Exec`] that it is handed, and puts
/// no value into a baseline, a reason or an error. Text that comes from outside (a log, a banner, a body) is data: it stands in
/// a reason only redacted, on one line, cut to length and marked as what it is.
#[async_trait]
pub trait HealthProbe: Send + Sync {
    /// What reports and journals call it, such as `http https://pay.example.org/healthz`: stable, and free of credentials.
    fn name(&self) -> &str;

    /// Looks at the service before it is touched, to know what is usual.
    ///
    /// # Errors
    /// If the service cannot be looked at, or does not work even now: then a check would prove nothing, and the caller
    /// had better not begin. `Forbidden` where the account may not look.
    async fn baseline(&self, target: &Target, exec: &dyn Exec) -> Result<Baseline>;

    /// Asks how the service is, on the version that it is on now.
    async fn check(&self, target: &Target, baseline: &Baseline, exec: &dyn Exec) -> Health;
}

/// What a probe says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "health")]
pub enum Health {
    /// It works.
    Healthy,
    /// It does not: the service is put back.
    Unhealthy {
        /// Why, for an operator.
        reason: String,
    },
    /// The probe cannot tell: a person must look.
    Inconclusive {
        /// Why, for an operator.
        reason: String,
    },
}

impl Health {
    /// It does not work, for this reason.
    pub fn unhealthy(reason: impl Into<String>) -> Self {
        Self::Unhealthy { reason: reason.into() }
    }

    /// The probe cannot tell, for this reason.
    pub fn inconclusive(reason: impl Into<String>) -> Self {
        Self::Inconclusive { reason: reason.into() }
    }
}

/// The service that a probe is asked about, as it is at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The service.
    pub service: ServiceId,
    /// Its name.
    pub name: String,
    /// The stack that it belongs to.
    pub stack: Option<String>,
    /// The versions that its spec mounts: which version it is on.
    pub versions: Vec<SecretName>,
    /// Its running tasks, those on their way out left aside.
    pub tasks: Vec<TargetTask>,
}

/// A running task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetTask {
    /// Its id.
    pub id: TaskId,
    /// The node that it runs on.
    pub node: Option<NodeId>,
    /// When it was created.
    pub created: Timestamp,
}

impl Target {
    /// The target in a look at a service and its tasks.
    ///
    /// # Errors
    /// `Protocol` if the spec cannot be read, `Invalid` if it mounts a secret whose name is none.
    pub fn of(service: &ServiceState, tasks: &[TaskState]) -> Result<Self> {
        let versions: Result<Vec<SecretName>> = service.references.iter().map(|r| r.name.parse()).collect();
        let runs = |task: &&TaskState| {
            task.service == service.id
                && task.state == "running"
                && matches!(task.desired.as_str(), "running" | "ready")
        };
        let target =
            |task: &TaskState| TargetTask { id: task.id.clone(), node: task.node.clone(), created: task.created };
        Ok(Self {
            service: service.id.clone(),
            name: service.name.clone(),
            stack: service.spec.labels()?.get(label::STACK).map(str::to_owned),
            versions: versions?,
            tasks: tasks.iter().filter(runs).map(target).collect(),
        })
    }

    /// When the oldest of its running tasks was created: what came before is not theirs.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.tasks.iter().map(|task| task.created).min()
    }
}

/// What a probe saw before the service was touched. Its content is the probe's own; a journal keeps it for a resume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Baseline(String);

impl Baseline {
    /// The baseline of a probe that needs none.
    #[must_use]
    pub fn none() -> Self {
        Self("null".into())
    }

    /// Keeps what a probe saw.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] above [`MAX_BASELINE_BYTES`], `Invalid` if it is nothing that JSON can hold.
    pub fn of(seen: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(seen).map_err(|e| {
            Error::new(ErrorKind::Invalid, "a probe's baseline cannot be written as JSON").with_source(e)
        })?;
        text.try_into()
    }

    /// What the probe saw.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is not the baseline of such a probe.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0).map_err(|_| {
            let why = match self == &Self::none() {
                true => "no baseline was taken: no task ran before the service was touched",
                false => "the baseline was not taken by this probe: take up the rotation with the probes it began with",
            };
            Error::new(ErrorKind::Invalid, why)
        })
    }
}

impl TryFrom<String> for Baseline {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        match text.len() {
            n if n > MAX_BASELINE_BYTES => Err(Error::new(
                ErrorKind::TooLarge,
                format!("a probe's baseline has {n} bytes: it may have {MAX_BASELINE_BYTES}"),
            )),
            _ => Ok(Self(text)),
        }
    }
}

impl From<Baseline> for String {
    fn from(baseline: Baseline) -> Self {
        baseline.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_survives_the_journal_and_has_a_bound() {
        let taken = Baseline::of(&(7, "p95")).unwrap();
        let journal = serde_json::to_string(&taken).unwrap();
        let back: Baseline = serde_json::from_str(&journal).unwrap();
        assert_eq!(back.read::<(u32, String)>().unwrap(), (7, "p95".into()));
        assert_eq!(back.read::<u32>().unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(Baseline::none().read::<Option<u32>>().unwrap(), None);

        let large = "x".repeat(MAX_BASELINE_BYTES);
        assert_eq!(Baseline::of(&large).unwrap_err().kind(), ErrorKind::TooLarge);
        let line = serde_json::to_string(&large.repeat(2)).unwrap();
        assert!(serde_json::from_str::<Baseline>(&line).is_err());
    }

    #[test]
    fn what_a_probe_says_is_tagged() {
        let said = serde_json::to_string(&Health::inconclusive("logs may not be read")).unwrap();
        assert_eq!(said, r#"{"health":"inconclusive","reason":"logs may not be read"}"#);
        assert_eq!(serde_json::to_string(&Health::Healthy).unwrap(), r#"{"health":"healthy"}"#);
    }
}
