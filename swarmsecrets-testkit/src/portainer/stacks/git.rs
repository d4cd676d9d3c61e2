//! Git stacks. The repositories of a simulation are what a test has pushed, and where they stand is told by [`Portainer`] as
//! [`GitRemotes`]: no network is touched. Before a real Engine `git` fetches what was not pushed. Those do not update
//! themselves.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use swarmsecrets_core::git::GitRemotes;
use swarmsecrets_core::{Error, ErrorKind, Result};

use super::record::{ACTIVE, GitAuthentication};
use super::{AutoUpdate, GitConfig, Stack, Variable};
use crate::git_server;
use crate::portainer::accounts::Caller;
use crate::portainer::exchange::{PortainerRequest, PortainerResponse, payload};
use crate::portainer::{Portainer, State};

const DEFAULT_REFERENCE: &str = "refs/heads/main";
const DEFAULT_FILE: &str = "docker-compose.yml";

/// The newest commit of a branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its hash, forty hexadecimal digits.
    pub hash: String,
    /// Its files.
    pub files: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewGitStack {
    name: String,
    #[serde(rename = "swarmID", default)]
    swarm: String,
    #[serde(rename = "repositoryURL")]
    url: String,
    #[serde(default)]
    repository_reference_name: String,
    #[serde(default)]
    compose_file: String,
    #[serde(default)]
    env: Option<Vec<Variable>>,
    #[serde(default)]
    auto_update: Option<NewAutoUpdate>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct NewAutoUpdate {
    interval: String,
    webhook: String,
    force_update: bool,
    force_pull_image: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Redeploy {
    #[serde(default)]
    env: Option<Vec<Variable>>,
    #[serde(default)]
    prune: bool,
    #[serde(default)]
    repository_reference_name: String,
}

impl State {
    /// Commits a file to a branch of a repository, as a colleague's push would. Gives the commit's hash.
    pub fn push(&mut self, url: &str, reference: &str, path: &str, content: &str) -> String {
        let commit = self.repositories.entry(key(url, reference)).or_default();
        let digest = Sha256::digest(format!("{}\n{path}\n{content}", commit.hash));
        commit.hash = swarmsecrets_core::ids::hex(&digest[..20]);
        commit.files.insert(path.to_owned(), content.to_owned());
        commit.hash.clone()
    }

    /// Lets Portainer use a credential of this name for the repository of a stack.
    pub fn use_credential(&mut self, stack: u64, username: &str) {
        let stack = self.stacks.iter_mut().find(|one| one.id == stack);
        if let Some(git) = stack.and_then(|stack| stack.git_config.as_mut()) {
            git.authentication = Some(GitAuthentication { username: username.to_owned(), password: String::new() });
        }
    }

    /// A file of the newest commit of a branch, and that commit's hash.
    fn pull(&self, url: &str, reference: &str, path: &str) -> std::result::Result<(String, String), String> {
        let Some(commit) = self.repositories.get(&key(url, reference)) else {
            return Err(format!(
                "failed to clone git repository: Get \"{url}/info/refs?service=git-upload-pack\": repository not found"
            ));
        };
        match commit.files.get(path) {
            Some(content) => Ok((content.clone(), commit.hash.clone())),
            None => Err(format!("{path} is not in the repository")),
        }
    }
}

fn key(url: &str, reference: &str) -> String {
    format!("{url} {reference}")
}

fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}

#[async_trait]
impl GitRemotes for Portainer {
    async fn head(&self, url: &str, reference: &str) -> Result<String> {
        let state = self.state();
        let commit = state.repositories.get(&key(url, reference)).map(|commit| commit.hash.clone());
        commit.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such branch of a simulated repository"))
    }

    fn simulated(&self) -> bool {
        self.engine().simulated()
    }
}

impl Portainer {
    async fn pull(&self, url: &str, reference: &str, path: &str) -> std::result::Result<(String, String), String> {
        let pushed = self.state().pull(url, reference, path);
        if pushed.is_ok() || self.engine().simulated() {
            return pushed;
        }
        let (url, reference, path) = (url.to_owned(), reference.to_owned(), path.to_owned());
        let fetched = tokio::task::spawn_blocking(move || git_server::fetch(&url, &reference, &path)).await;
        fetched.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
    }

    pub(super) async fn create_from_git(&self, caller: &Caller, request: &PortainerRequest) -> PortainerResponse {
        let new: NewGitStack = match payload(request) {
            Ok(new) => new,
            Err(refusal) => return refusal,
        };
        let stack = match self.begin_stack(caller, request, &new.name, &new.swarm, new.env) {
            Ok(stack) => stack,
            Err(refusal) => return refusal,
        };
        let reference = or(&new.repository_reference_name, DEFAULT_REFERENCE);
        let path = or(&new.compose_file, DEFAULT_FILE);
        let pulled = self.pull(&new.url, reference, path).await;
        let (file, config_hash) = match pulled {
            Ok(pulled) => pulled,
            Err(why) => return not_cloned(&why),
        };
        let git_config = Some(GitConfig {
            url: new.url.clone(),
            reference_name: reference.to_owned(),
            config_file_path: path.to_owned(),
            authentication: None,
            config_hash,
            tls_skip_verify: false,
        });
        let auto_update = new.auto_update.map(|auto| self.begin_updates(auto));
        self.finish_stack(caller, Stack { entry_point: path.to_owned(), file, git_config, auto_update, ..stack }).await
    }

    fn begin_updates(&self, auto: NewAutoUpdate) -> AutoUpdate {
        let mut state = self.state();
        state.last_job += 1;
        AutoUpdate {
            job: if auto.interval.is_empty() { String::new() } else { state.last_job.to_string() },
            interval: auto.interval,
            webhook: auto.webhook,
            force_update: auto.force_update,
            force_pull_image: auto.force_pull_image,
        }
    }

    pub(super) async fn redeploy_from_git(
        &self,
        caller: &Caller,
        request: &PortainerRequest,
        id: &str,
    ) -> PortainerResponse {
        let stack = match self.stack_to_change(caller, request, id) {
            Ok(stack) => stack,
            Err(refusal) => return refusal,
        };
        let Some(git) = stack.git_config.clone() else {
            let text = "Stack is not created from git";
            return PortainerResponse::refused(400, text, text);
        };
        let wanted: Redeploy = match payload(request) {
            Ok(wanted) => wanted,
            Err(refusal) => return refusal,
        };
        let reference = or(&wanted.repository_reference_name, DEFAULT_REFERENCE);
        let pulled = self.pull(&git.url, reference, &git.config_file_path).await;
        let (file, config_hash) = match pulled {
            Ok(pulled) => pulled,
            Err(why) => return not_cloned(&why),
        };
        if let Err(refusal) = self.deploy(&stack, &file, wanted.env.as_deref(), wanted.prune).await {
            return refusal;
        }
        let git_config = GitConfig { reference_name: reference.to_owned(), config_hash, ..git };
        self.keep_deployed(caller, stack.id, |stack| {
            stack.file = file;
            stack.env = wanted.env;
            stack.git_config = Some(git_config);
        })
    }

    /// Deploys the git stacks whose time has come and whose repository has moved, as `AutoUpdate` asks for.
    pub(in crate::portainer) async fn update_git_stacks(&self) {
        let now = self.seconds();
        for (stack, git, file, config_hash) in self.due(now) {
            let done = self.deploy(&stack, &file, stack.env.as_deref(), false).await;
            let mut state = self.state();
            let Some(stack) = state.stacks.iter_mut().find(|s| s.id == stack.id) else { continue };
            // Cut from git in the meantime: what was deployed stands, nothing is kept.
            if done.is_ok() && stack.git_config.is_some() {
                stack.file = file;
                stack.update_date = now;
                stack.git_config = Some(GitConfig { config_hash, ..git });
            }
        }
    }

    fn due(&self, now: i64) -> Vec<(Stack, GitConfig, String, String)> {
        let mut state = self.state();
        let mut stacks = std::mem::take(&mut state.stacks);
        let mut due = Vec::new();
        for stack in &mut stacks {
            let (Some(git), Some(auto)) = (&stack.git_config, &stack.auto_update) else { continue };
            let Some(interval) = seconds(&auto.interval) else { continue };
            if stack.status != ACTIVE || now < stack.checked.saturating_add(interval) {
                continue;
            }
            stack.checked = now;
            if let Ok((file, hash)) = state.pull(&git.url, &git.reference_name, &git.config_file_path)
                && (auto.force_update || hash != git.config_hash)
            {
                due.push((stack.clone(), git.clone(), file, hash));
            }
        }
        state.stacks = stacks;
        due
    }
}

fn seconds(interval: &str) -> Option<i64> {
    interval.parse::<jiff::SignedDuration>().ok().map(|d| d.as_secs()).filter(|&s| s > 0)
}

fn not_cloned(why: &str) -> PortainerResponse {
    let text = format!("unable to clone git repository: {why}");
    PortainerResponse::refused(500, &text, &text)
}
