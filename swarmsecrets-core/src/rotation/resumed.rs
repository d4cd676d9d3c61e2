//! Where a rotation stands once somebody takes it up: from its journal, or without it.

use super::state::{Created, Old, Progress, Stage, State};
use crate::error::Result;
use crate::journal::{Found, MadeVersion};
use crate::plan::Strategy;

impl State {
    /// Whether new versions are yet to be made.
    pub(crate) fn makes_versions(&self) -> bool {
        self.stage == Stage::Prepare && self.versions.iter().any(|version| version.created.is_none())
    }

    /// Where a rotation stands whose first journal is lost.
    pub(super) fn take_over(&mut self, found: &Found) -> Result<()> {
        for (secret, MadeVersion { id, owner }) in found.versions.iter().enumerate() {
            let control = owner.as_ref().and_then(|owner| owner.control);
            self.version(secret)?.created = Some(Created { id: id.clone(), control, owner: owner.clone() });
        }
        if found.moved {
            self.versions.iter_mut().for_each(|version| version.owned = true);
            self.consumers.fill(Progress::Converged(None));
            self.stage = Stage::Grace;
            return Ok(());
        }
        // If it is undone, these are what is put back.
        found.touched.iter().try_for_each(|service| self.set(service, Progress::Begun))?;
        if !found.begun {
            self.undo = Some("its journal is lost, and no service had been moved to the new version".to_owned());
            self.stage = Stage::Undo;
        }
        Ok(())
    }

    /// A stop that waited for a person, and an interruption, are over when somebody resumes.
    pub(super) fn take_up(&mut self) {
        self.first_set = None;
        self.interrupted = false;
        self.stopped = None;
        self.notes.clear();
        for version in &mut self.versions {
            if matches!(version.old, Old::Kept(_)) {
                version.old = Old::There;
            }
        }
        let (moving, undoing) = (self.stage == Stage::Update, self.stage == Stage::Undo);
        if matches!(self.stage, Stage::Credential | Stage::Close) {
            self.offer_anew();
        }
        for consumer in &mut self.consumers {
            match consumer {
                Progress::RestoreFailed(_) => *consumer = Progress::Begun,
                // Its probes are asked again.
                Progress::Unsure(_) if moving => *consumer = Progress::Begun,
                // Whoever had it, or a process that stood still, may have put it on the new version, which is to go.
                Progress::Left(_) | Progress::Restored(None) if undoing => *consumer = Progress::Begun,
                Progress::Restored(Some(reason)) if undoing => *consumer = Progress::Failed(std::mem::take(reason)),
                _ => {}
            }
        }
        if self.moves_again() {
            for (n, consumer) in self.consumers.iter_mut().enumerate() {
                if let Progress::Failed(reason) = consumer {
                    self.again.insert(n, std::mem::take(reason));
                    *consumer = Progress::Pending;
                }
            }
            self.stage = Stage::Update;
        }
    }

    /// Whether it is a revocation that moves, once resumed, what it could not move. That may have failed for a passing
    /// reason: nothing is to stay on the leaked value for that.
    #[must_use]
    pub fn moves_again(&self) -> bool {
        let after = matches!(self.stage, Stage::Settle | Stage::Close | Stage::Grace);
        self.plan.strategy == Strategy::Revoke && after && self.consumers.iter().any(Progress::has_failed)
    }
}
