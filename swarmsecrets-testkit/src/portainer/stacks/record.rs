//! A stack as Portainer keeps and shows it.

use serde::{Deserialize, Serialize};

use crate::portainer::ResourceControl;

/// The stack's services run.
pub(super) const ACTIVE: u8 = 1;
/// The stack was stopped: its services are gone, its file is kept.
pub(super) const STOPPED: u8 = 2;

/// A variable of a stack. Its value may be a credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How a git stack updates itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AutoUpdate {
    /// How often it looks, as `5m`.
    pub interval: String,
    /// The webhook that makes it look.
    pub webhook: String,
    /// Portainer's job.
    #[serde(rename = "JobID")]
    pub job: String,
    /// Whether it is deployed even if the repository has not moved.
    pub force_update: bool,
    /// Whether images are pulled.
    pub force_pull_image: bool,
}

/// A credential for a repository. Portainer's answers leave the password empty, and none is modelled (src).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GitAuthentication {
    /// Whose.
    pub username: String,
    /// Always empty.
    pub password: String,
}

/// Where a git stack's file comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GitConfig {
    /// The repository.
    #[serde(rename = "URL")]
    pub url: String,
    /// The branch or tag, as `refs/heads/main`.
    pub reference_name: String,
    /// The file's path in the repository.
    pub config_file_path: String,
    /// The credential that Portainer has for it, if it has one.
    pub authentication: Option<GitAuthentication>,
    /// The commit that was deployed.
    pub config_hash: String,
    /// Whether certificates go unchecked.
    #[serde(rename = "TLSSkipVerify")]
    pub tls_skip_verify: bool,
}

/// A stack. Its file and its variables may hold credentials, so that it has no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// Its number.
    pub id: u64,
    /// Its name: its services are called `<name>_<service>`.
    pub name: String,
    /// The environment.
    pub environment: u64,
    /// The Swarm's id, as the creator gave it.
    pub swarm: String,
    /// The file's name.
    pub entry_point: String,
    /// The variables; none at all after a `PUT` that left them out.
    pub env: Option<Vec<Variable>>,
    /// 1 when it runs, 2 when it was stopped.
    pub status: u8,
    /// When it was made, in seconds since 1970.
    pub creation_date: i64,
    /// Who made it.
    pub created_by: String,
    /// When it was last deployed; 0 if never since its creation.
    pub update_date: i64,
    /// Who deployed it last.
    pub updated_by: String,
    /// How it updates itself, if it does.
    pub auto_update: Option<AutoUpdate>,
    /// Where its file comes from, if from git.
    pub git_config: Option<GitConfig>,
    /// Portainer sets this on a git stack that was cut from git.
    pub from_app_template: bool,
    /// The stored file.
    pub file: String,
    /// When the repository was last looked at, in seconds since 1970.
    pub(super) checked: i64,
}

/// A stack in Portainer's own form and order of fields.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown<'a> {
    id: u64,
    name: &'a str,
    #[serde(rename = "Type")]
    kind: u8,
    endpoint_id: u64,
    swarm_id: &'a str,
    entry_point: &'a str,
    env: Option<&'a [Variable]>,
    resource_control: Option<&'a ResourceControl>,
    status: u8,
    project_path: String,
    creation_date: i64,
    created_by: &'a str,
    update_date: i64,
    updated_by: &'a str,
    additional_files: Option<()>,
    auto_update: Option<&'a AutoUpdate>,
    option: Option<()>,
    git_config: Option<&'a GitConfig>,
    from_app_template: bool,
    namespace: &'static str,
}

impl Stack {
    /// A stack of the environment 1 that `admin` made at this moment, in seconds since 1970, and that runs.
    #[must_use]
    pub fn new(name: &str, swarm: &str, file: &str, made: i64) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            environment: 1,
            swarm: swarm.to_owned(),
            entry_point: "docker-compose.yml".to_owned(),
            env: Some(Vec::new()),
            status: ACTIVE,
            creation_date: made,
            created_by: "admin".to_owned(),
            update_date: 0,
            updated_by: String::new(),
            auto_update: None,
            git_config: None,
            from_app_template: false,
            file: file.to_owned(),
            checked: made,
        }
    }

    /// The same stack, stopped: its services must be gone.
    #[must_use]
    pub fn stopped(mut self) -> Self {
        self.status = STOPPED;
        self
    }

    /// The stack with the control that the answer is to show: most answers to a change show none.
    pub(super) fn shown<'a>(&'a self, resource_control: Option<&'a ResourceControl>) -> Shown<'a> {
        Shown {
            id: self.id,
            name: &self.name,
            kind: 1,
            endpoint_id: self.environment,
            swarm_id: &self.swarm,
            entry_point: &self.entry_point,
            env: self.env.as_deref(),
            resource_control,
            status: self.status,
            project_path: format!("/data/compose/{}", self.id),
            creation_date: self.creation_date,
            created_by: &self.created_by,
            update_date: self.update_date,
            updated_by: &self.updated_by,
            additional_files: None,
            auto_update: self.auto_update.as_ref(),
            option: None,
            git_config: self.git_config.as_ref(),
            from_app_template: self.from_app_template,
            namespace: "",
        }
    }
}
