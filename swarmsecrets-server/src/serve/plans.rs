//! What was planned for a caller. Nothing else is carried out for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use swarmsecrets_core::ids::PlanDigest;
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::{Error, ErrorKind, Result};

/// So many plans are kept, the newest: a plan is good for as long as the world stands still.
const MOST: usize = 64;

/// The newest plans of one caller.
#[derive(Default)]
pub(super) struct Plans(Mutex<VecDeque<Arc<Plan>>>);

impl Plans {
    /// Keeps a plan.
    pub(super) fn keep(&self, plan: Plan) -> Arc<Plan> {
        let plan = Arc::new(plan);
        let mut kept = self.kept();
        kept.retain(|other| other.digest() != plan.digest());
        kept.push_back(Arc::clone(&plan));
        while kept.len() > MOST {
            kept.pop_front();
        }
        plan
    }

    /// The plan with this digest.
    ///
    /// # Errors
    /// `Stale` if it was not made here, or is not kept any more.
    pub(super) fn find(&self, digest: &PlanDigest) -> Result<Arc<Plan>> {
        let found = self.kept().iter().find(|plan| plan.digest() == digest).cloned();
        found.ok_or_else(|| {
            let text = "this server has not made that plan for you, or keeps it no longer: plan again, here";
            Error::new(ErrorKind::Stale, text)
        })
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Arc<Plan>>> {
        // Plans are put in and taken out whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
