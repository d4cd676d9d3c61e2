//! Which rotations have not ended: those of the journal, and those that the world alone tells of.

use super::run::Executor;
use crate::error::Result;
use crate::ids::RotationId;
use crate::inventory::Inventory;
use crate::plan::visible_rotations;
use crate::rotation::State;

impl Executor<'_> {
    /// The rotations that have not ended, oldest first.
    ///
    /// # Errors
    /// `Journal` if a journal cannot be read.
    pub async fn unfinished(&self) -> Result<Vec<State>> {
        let mut open = Vec::new();
        for id in self.parts.journal.list().await? {
            let journal = self.parts.journal.load(&id).await?;
            if journal.entries.is_empty() {
                continue;
            }
            let state = State::replay(journal.entries.iter().map(|e| &e.event))?;
            if !state.is_over() {
                open.push(state);
            }
        }
        Ok(open)
    }

    /// The rotations that can be seen in the world and have no journal here.
    ///
    /// # Errors
    /// `Journal` if the journals cannot be listed, and those of [`Transport::read`](crate::transport::Transport::read).
    pub async fn lost(&self) -> Result<Vec<RotationId>> {
        self.lost_in(&self.world().await?).await
    }

    pub(super) async fn lost_in(&self, world: &Inventory) -> Result<Vec<RotationId>> {
        let known = self.parts.journal.list().await?;
        Ok(visible_rotations(world).into_iter().filter(|id| !known.contains(id)).collect())
    }
}
