//! What the probes see before anything is changed.

use super::action::{Action, Answer, Look, Reply};
use super::machine::{Next, Rotation};
use crate::clock::Now;
use crate::error::Result;
use crate::ids::quoted;
use crate::journal::{End, Event};

impl Rotation {
    /// All baselines are taken before the first mutation: a probe that does not work then would prove nothing later, and is
    /// mended at no cost.
    pub(super) fn measure(&mut self) -> Result<Option<Next>> {
        let Some(n) = self.unmeasured() else { return Ok(None) };
        if self.state.interrupted {
            self.stop(End::NotStarted, "it was interrupted before anything was done")?;
            return Ok(Some(Next::Again));
        }
        Ok(Some(Next::Act(Action::Look(Look::Baseline(self.state.plan.consumers[n].id.clone())))))
    }

    /// The next consumer whose probes have not been asked, as long as it is as it was.
    pub(super) fn unmeasured(&self) -> Option<usize> {
        let open = |n: &usize| !self.state.plan.consumers[*n].probes.is_empty() && self.state.baselines[*n].is_none();
        (0..self.state.baselines.len()).find(open).filter(|_| self.nothing_sent())
    }

    /// Whether no mutation was ever sent.
    pub(super) fn nothing_sent(&self) -> bool {
        self.state.versions.iter().all(|v| !v.create_sent && v.created.is_none())
    }

    pub(super) fn measured(&mut self, n: usize, reply: Reply, now: Now) -> Result<()> {
        let consumer = &self.state.plan.consumers[n];
        match reply {
            Reply::Done(Answer::Baseline(seen)) => {
                let service = consumer.id.clone();
                self.work.tries = 0;
                self.emit(Event::Baseline { service, seen })
            }
            Reply::Done(_) => Ok(()),
            Reply::Refused(error) => {
                let service = quoted(&consumer.service);
                self.stop(End::NotStarted, format!("{service} cannot be asked how it is before it is touched: {error}"))
            }
            Reply::Unknown(error) => self.look_later(&error, now),
        }
    }
}
