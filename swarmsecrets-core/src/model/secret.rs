//! Secrets, as listed and as inspected. The Engine never sends a value.

use jiff::Timestamp;
use serde::Deserialize;

use super::Version;
use super::ownership::Portainer;
use super::text::{Text, TextMap, or_default};

/// One Swarm secret.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Secret<'a> {
    /// The Engine's id.
    #[serde(borrow, rename = "ID")]
    pub id: Text<'a>,
    /// The version of the object.
    #[serde(default)]
    pub version: Version,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its name and labels.
    #[serde(borrow)]
    pub spec: SecretSpec<'a>,
    /// Who may see it.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub portainer: Portainer<'a>,
}

/// What was asked for when a secret was created.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecretSpec<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Its labels.
    #[serde(borrow, default)]
    pub labels: TextMap<'a>,
    /// The driver that holds its data, if it is not Swarm itself.
    #[serde(borrow, default)]
    pub driver: Option<Driver<'a>>,
    /// The template engine that expands it, if any.
    #[serde(borrow, default)]
    pub templating: Option<Driver<'a>>,
}

/// A driver of a secret, or a template engine.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Driver<'a> {
    /// Its name.
    #[serde(borrow, default)]
    pub name: Text<'a>,
}
