//! Several ways to people, each by the name that the policy has for it.

use std::sync::Arc;

use super::{Approver, ChangeRequest, Given};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::quoted;
use crate::policy::is_system_name;

/// So many decisions of one approver are taken at most.
const MOST_DECISIONS: usize = 64;

/// Approvers, each under a name. What one of them reads back from its system counts as that of the system with this name, and of
/// no other.
#[derive(Clone, Default)]
pub struct Approvers {
    named: Vec<(String, Arc<dyn Approver>)>,
}

impl Approvers {
    /// These and another one.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a name that is none, [`ErrorKind::Conflict`] for one that is taken.
    pub fn and(mut self, name: &str, approver: Arc<dyn Approver>) -> Result<Self> {
        if !is_system_name(name) {
            let text = format!(
                "{} cannot be the name of an approver: 1 to 64 lower-case letters, digits, `-` and `_`",
                quoted(name)
            );
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        if self.named.iter().any(|(there, _)| there == name) {
            let text = format!("there are two approvers {}: each has a name of its own", quoted(name));
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        self.named.push((name.to_owned(), approver));
        Ok(self)
    }

    /// Makes a request known by all of them.
    ///
    /// # Errors
    /// That of the first one that fails; those after it are not asked. To try again makes nothing known twice.
    pub async fn request(&self, request: &ChangeRequest) -> Result<()> {
        for (name, approver) in &self.named {
            approver.request(request).await.map_err(|error| failed(name, error))?;
        }
        Ok(())
    }

    /// What all of them have on a request.
    ///
    /// # Errors
    /// If one of them cannot tell: it may be the one that has the denial. [`ErrorKind::TooLarge`] for more than 64 decisions of
    /// one approver.
    pub async fn decisions(&self, request: &ChangeRequest) -> Result<Vec<Given>> {
        let mut all = Vec::new();
        for (name, approver) in &self.named {
            let given = approver.decisions(request).await.map_err(|error| failed(name, error))?;
            if given.len() > MOST_DECISIONS {
                let text = format!("{} decisions on one request, and {MOST_DECISIONS} are taken at most", given.len());
                return Err(failed(name, Error::new(ErrorKind::TooLarge, text)));
            }
            all.extend(given.into_iter().map(|one| match one {
                Given::ReadBack(read) => Given::ReadBack(read.read_in(name)),
                signed @ Given::Signed(_) => signed,
            }));
        }
        Ok(all)
    }

    /// Their names, in the order in which they are asked.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _)| name.as_str())
    }
}

fn failed(name: &str, error: Error) -> Error {
    error.context(format!("the approver {}", quoted(name)))
}
