//! `/api/stacks`: compose files that Portainer keeps and deploys, from its own store or from git.

mod deploy;
mod git;
mod record;
mod routes;

pub use self::git::Commit;
pub use self::record::{AutoUpdate, GitAuthentication, GitConfig, Stack, Variable};
