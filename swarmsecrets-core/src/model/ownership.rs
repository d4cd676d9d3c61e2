//! Portainer's resource controls: who may see an object.

use serde::Deserialize;

use super::text::{Text, or_default};

/// What Portainer adds to the Engine's objects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Portainer<'a> {
    /// Who may see it; none for administrators only.
    #[serde(borrow, default)]
    pub resource_control: Option<ResourceControl<'a>>,
}

/// A resource control.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceControl<'a> {
    /// Its number.
    pub id: u64,
    /// What it is for: an Engine id, or `{environment}_{stack}`.
    #[serde(borrow, default)]
    pub resource_id: Text<'a>,
    /// The kind of what it is for: 2 service, 5 secret, 6 stack.
    #[serde(default)]
    pub r#type: u64,
    /// Users that are let in.
    #[serde(default, deserialize_with = "or_default")]
    pub user_accesses: Vec<UserAccess>,
    /// Teams that are let in.
    #[serde(default, deserialize_with = "or_default")]
    pub team_accesses: Vec<TeamAccess>,
    /// Whether everybody is let in.
    #[serde(default)]
    pub public: bool,
    /// Whether administrators alone are let in.
    #[serde(default)]
    pub administrators_only: bool,
    /// Whether it belongs to Portainer itself.
    #[serde(default)]
    pub system: bool,
}

/// A user that is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserAccess {
    /// The user's number.
    pub user_id: u64,
}

/// A team that is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TeamAccess {
    /// The team's number.
    pub team_id: u64,
}

/// The answer to a create: the new object's id, and its resource control.
#[derive(Clone, Debug, Deserialize)]
pub struct Created<'a> {
    /// The id.
    #[serde(borrow, rename = "ID")]
    pub id: Text<'a>,
    /// Who may see it.
    #[serde(borrow, rename = "Portainer", default, deserialize_with = "or_default")]
    pub portainer: Portainer<'a>,
}
