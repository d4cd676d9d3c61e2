//! Portainer's own objects: environments, stacks, users, teams.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::ownership::ResourceControl;
use super::text::{Text, or_default};
use crate::ids::EnvironmentId;

/// An environment, which Portainer's paths call an endpoint.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Environment<'a> {
    /// Its number.
    pub id: u64,
    /// Its name.
    #[serde(borrow, default)]
    pub name: Text<'a>,
    /// 1 is a Docker socket, 2 an agent, 4 an edge agent.
    #[serde(default)]
    pub r#type: u64,
    /// 1 is up, 2 is down.
    #[serde(default)]
    pub status: u64,
}

/// A stack that Portainer keeps.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Stack<'a> {
    /// Its number.
    pub id: u64,
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// 1 is a Swarm stack, 2 a compose stack, 3 a Kubernetes stack.
    #[serde(default)]
    pub r#type: u64,
    /// The environment that it is in.
    #[serde(default)]
    pub endpoint_id: u64,
    /// 1 is deployed, 2 is stopped.
    #[serde(default)]
    pub status: u64,
    /// Its variables. Any of them may be a credential.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub env: Vec<StackVariable<'a>>,
    /// Who may see it.
    #[serde(borrow, default)]
    pub resource_control: Option<ResourceControl<'a>>,
    #[serde(borrow, default)]
    entry_point: Text<'a>,
    #[serde(borrow, default)]
    git_config: Option<GitConfig<'a>>,
    #[serde(borrow, default)]
    auto_update: Option<AutoUpdate<'a>>,
    #[serde(default)]
    option: Option<StackOption>,
    #[serde(default, deserialize_with = "or_default")]
    additional_files: Vec<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StackOption {
    #[serde(default)]
    prune: bool,
}

impl Stack<'_> {
    /// Whether it is a Swarm stack of this environment.
    #[must_use]
    pub fn is_swarm_of(&self, environment: EnvironmentId) -> bool {
        const SWARM: u64 = 1;
        self.r#type == SWARM && self.endpoint_id == environment.0
    }

    /// Whether its file lives in a git repository. Its content must never be `PUT`: that cuts it from git.
    #[must_use]
    pub fn is_git(&self) -> bool {
        self.git_config.is_some()
    }

    /// The repository that it comes from, if it does.
    #[must_use]
    pub fn git(&self) -> Option<&GitConfig<'_>> {
        self.git_config.as_ref()
    }

    /// Whether it is made of more files than the one that Portainer shows.
    #[must_use]
    pub fn has_more_files(&self) -> bool {
        !self.additional_files.is_empty()
    }

    /// Whether a redeploy removes services that its file does not name.
    #[must_use]
    pub fn prunes(&self) -> bool {
        self.option.as_ref().is_some_and(|option| option.prune)
    }

    /// Where its compose file stands in its folder or repository, as Portainer says it; may be empty.
    #[must_use]
    pub fn file_path(&self) -> &str {
        let in_git = self.git_config.as_ref().map(|git| git.config_file_path.as_str());
        in_git.filter(|path| !path.is_empty()).unwrap_or(&self.entry_point)
    }

    /// Whether Portainer redeploys it by itself when the repository changes.
    #[must_use]
    pub fn updates_itself(&self) -> bool {
        self.auto_update.as_ref().is_some_and(|auto| !auto.interval.is_empty() || !auto.webhook.is_empty())
    }
}

/// Where a git stack comes from. It prints its commit only: a URL may hold a credential.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GitConfig<'a> {
    /// The repository.
    #[serde(borrow, default, rename = "URL")]
    pub url: Text<'a>,
    /// The branch or tag.
    #[serde(borrow, default)]
    pub reference_name: Text<'a>,
    /// The commit that was deployed last.
    #[serde(borrow, default)]
    pub config_hash: Text<'a>,
    #[serde(default)]
    authentication: Option<IgnoredAny>,
    #[serde(borrow, default)]
    config_file_path: Text<'a>,
}

impl GitConfig<'_> {
    /// Whether Portainer has a credential for it.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.authentication.is_some()
    }
}

impl fmt::Debug for GitConfig<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitConfig {{ {} }}", self.config_hash)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AutoUpdate<'a> {
    #[serde(borrow, default)]
    interval: Text<'a>,
    #[serde(borrow, default)]
    webhook: Text<'a>,
}

/// A variable of a stack. It prints its name only.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct StackVariable<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Its value.
    #[serde(borrow, default)]
    pub value: Text<'a>,
}

impl fmt::Debug for StackVariable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=[REDACTED]", self.name)
    }
}

/// The answer to `stacks/{id}/file`. It prints its length only.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StackFile<'a> {
    /// The compose file. It may hold credentials.
    #[serde(borrow)]
    pub stack_file_content: Text<'a>,
}

impl fmt::Debug for StackFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StackFile {{ {} bytes }}", self.stack_file_content.len())
    }
}

/// A user; the answer to `users/me` is one too.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct User<'a> {
    /// The number.
    pub id: u64,
    /// The name.
    #[serde(borrow, default)]
    pub username: Text<'a>,
    /// 1 is an administrator, 2 a standard user.
    #[serde(default)]
    pub role: u64,
}

impl User<'_> {
    /// Whether the user is a Portainer administrator, who sees everything.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.role == 1
    }
}

/// A team.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Team<'a> {
    /// The number.
    pub id: u64,
    /// The name.
    #[serde(borrow, default)]
    pub name: Text<'a>,
}

/// That a user is in a team.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Membership {
    /// The number.
    pub id: u64,
    /// The user.
    #[serde(rename = "UserID")]
    pub user_id: u64,
    /// The team.
    #[serde(rename = "TeamID")]
    pub team_id: u64,
    /// 1 leads the team, 2 is in it.
    #[serde(default)]
    pub role: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_in_the_repository_comes_first() {
        let path = |json: &str| serde_json::from_str::<Stack<'_>>(json).unwrap().file_path().to_owned();
        assert_eq!(path(r#"{"Id":1,"Name":"s","EntryPoint":"a.yml","GitConfig":null}"#), "a.yml");
        let git = r#"{"Id":1,"Name":"s","EntryPoint":"a.yml","GitConfig":{"ConfigFilePath":"deploy/b.yml"}}"#;
        assert_eq!(path(git), "deploy/b.yml");
    }

    #[test]
    fn variables_and_files_are_not_printed() {
        let stack: Stack<'_> = serde_json::from_str(
            r#"{"Id":1,"Name":"s","Env":[{"name":"PASSWORD","value":"made-up"}],"AutoUpdate":{"Interval":"5m"},"GitConfig":{}}"#,
        )
        .unwrap();
        assert!(stack.is_git() && stack.updates_itself());
        assert_eq!(stack.file_path(), "");
        let file: StackFile<'_> = serde_json::from_str(r#"{"StackFileContent":"x: made-up"}"#).unwrap();
        assert!(!format!("{stack:?} {file:?}").contains("made-up"));
    }
}
