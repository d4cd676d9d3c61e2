//! Where the repositories of git stacks stand.

use super::run::Executor;
use crate::git::{GitRemotes, Repository};
use crate::inventory::Inventory;
use crate::plan::Content;
use crate::policy::Direction;
use crate::rotation::{Answer, Reply};

impl<'a> Executor<'a> {
    /// The same executor, which also asks these where the repositories of git stacks stand. Without them a git stack is left
    /// to a person, also where it names a secret by a variable.
    #[must_use]
    pub fn with_git(mut self, remotes: &'a dyn GitRemotes) -> Self {
        self.remotes = Some(remotes);
        self
    }

    /// Adds to a look at everything where the repositories stand of the git stacks that could be written in this direction.
    pub(super) async fn with_heads(&self, plan: &Content, direction: Direction, mut seen: Reply) -> Reply {
        let (Reply::Done(Answer::World(world)), Some(remotes)) = (&mut seen, self.remotes) else { return seen };
        for (n, repository) in asked(world, plan, direction) {
            let head = head(remotes, &repository, world.simulated).await;
            if let Some(stack) = world.stacks.get_mut(n) {
                stack.repository = Some(Repository { head: Some(head), ..repository });
            }
        }
        seen
    }
}

/// The stacks of which all but the head is known that must be, by their places.
fn asked(world: &Inventory, plan: &Content, direction: Direction) -> Vec<(usize, Repository)> {
    let pairs: Vec<_> = plan.secrets.iter().filter_map(|secret| secret.renaming(direction)).collect();
    let wanted = world.stacks.iter().enumerate().filter_map(|(n, stack)| {
        let repository = stack.repository.as_ref()?;
        stack.may_be_written(world, &pairs, plan.allow.redeploy).is_ok().then(|| (n, repository.clone()))
    });
    wanted.collect()
}

async fn head(remotes: &dyn GitRemotes, repository: &Repository, simulated: bool) -> Result<String, String> {
    match (simulated, remotes.simulated()) {
        (true, false) => Err("the repositories of a simulation are none that could be asked".into()),
        (false, true) => Err("simulated repositories say nothing of real ones".into()),
        _ => remotes.head(&repository.url, &repository.reference).await.map_err(|error| error.to_string()),
    }
}
