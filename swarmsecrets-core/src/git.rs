//! The repositories that git stacks come from, and where their branches stand.
//!
//! Portainer keeps the commit that it deployed and does not tell whether the repository has gone on since. A redeploy pulls
//! the newest one. So before a variable of such a stack is set, the repository's own server is asked.

use std::fmt;

use async_trait::async_trait;

use crate::error::Result;

/// Where a git stack comes from.
#[derive(Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its URL. It may hold a credential.
    pub url: String,
    /// The branch or tag, such as `refs/heads/main`.
    pub reference: String,
    /// The commit that Portainer deployed last.
    pub deployed: String,
    /// Whether Portainer has a credential for it, which it shows to nobody.
    pub private: bool,
    /// Where the branch stands now, or why that cannot be told; nothing if nobody has asked.
    pub head: Option<Result<String, String>>,
}

impl Repository {
    /// Whether a redeploy deploys the commit that is deployed.
    ///
    /// # Errors
    /// Why not, or why that cannot be told.
    pub fn stands_as_deployed(&self) -> Result<(), String> {
        match &self.head {
            None => Err("whether its repository has moved since it was deployed was not asked".into()),
            Some(Err(why)) => {
                Err(format!("whether its repository has moved since it was deployed cannot be told: {why}"))
            }
            Some(Ok(head)) if *head == self.deployed => Ok(()),
            Some(Ok(head)) => Err(format!(
                "its repository has moved from {} to {} since it was deployed, and a redeploy would bring that along",
                short(&self.deployed),
                short(head)
            )),
        }
    }
}

/// A commit's hash as git shortens it.
pub(crate) fn short(commit: &str) -> &str {
    const SHOWN: usize = 12;
    commit.get(..SHOWN).unwrap_or(commit)
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Repository {{ {} at {}, head: {:?} }}", self.reference, self.deployed, self.head)
    }
}

/// Asks the servers of git repositories.
#[async_trait]
pub trait GitRemotes: Send + Sync {
    /// The commit that a branch or tag of a repository stands at: forty hexadecimal digits, or sixty-four.
    ///
    /// The URL is what somebody wrote into Portainer. No credential may be sent to it, and nothing that its server says may
    /// be shown but a commit.
    ///
    /// # Errors
    /// Why it cannot be told, without the URL, which may hold a credential.
    async fn head(&self, url: &str, reference: &str) -> Result<String>;

    /// Whether the repositories are simulated. Only those are asked about in a simulation, and never outside of one.
    fn simulated(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(head: Option<Result<String, String>>) -> Repository {
        Repository {
            url: "https://user:made-up@git.example.com/shop.git".into(),
            reference: "refs/heads/main".into(),
            deployed: "c34028d59973b5935c95c3e9ec6b619e034d9009".into(),
            private: false,
            head,
        }
    }

    #[test]
    fn only_the_commit_that_is_deployed_is_as_deployed() {
        assert_eq!(at(Some(Ok(at(None).deployed))).stands_as_deployed(), Ok(()));
        let moved = at(Some(Ok("d".repeat(40)))).stands_as_deployed().unwrap_err();
        assert!(moved.contains("from c34028d59973 to dddddddddddd"), "{moved}");
        let silent = at(Some(Err("no answer".into()))).stands_as_deployed().unwrap_err();
        assert!(silent.ends_with("cannot be told: no answer"), "{silent}");
        assert!(at(None).stands_as_deployed().unwrap_err().contains("not asked"));
    }

    #[test]
    fn a_url_is_not_printed() {
        assert!(!format!("{:?}", at(None)).contains("made-up"));
    }
}
