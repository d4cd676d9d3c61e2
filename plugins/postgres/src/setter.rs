//! The setter.

use async_trait::async_trait;
use swarmsecrets_core::credential::{Account, CredentialSetter, Login, Shape, Way};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::{Result, SecretValue};

use crate::Builder;
use crate::administrator::Administrator;
use crate::in_place::InPlace;
use crate::in_turn::InTurn;
use crate::server::Server;

/// Whose password is changed.
pub(crate) enum Roles {
    One(String),
    InTurn([String; 2]),
}

/// Changes the password of one role, or those of two that take turns. See [the crate](crate).
pub struct PostgresSetter {
    pub(crate) server: Server,
    pub(crate) administrator: Administrator,
    pub(crate) shape: Shape,
    pub(crate) roles: Roles,
}

/// What is done with the roles: the same calls, in one of two ways.
enum With<'a> {
    One(InPlace<'a>),
    InTurn(InTurn<'a>),
}

impl PostgresSetter {
    /// Begins with where the server is: a host's name or address, or the folder of a Unix socket, and the port.
    pub fn at(host: &str, port: u16) -> Builder {
        Builder::new(host, port)
    }

    fn with(&self) -> With<'_> {
        let Self { server, administrator, shape, roles } = self;
        match roles {
            Roles::One(role) => With::One(InPlace { server, administrator, shape, role }),
            Roles::InTurn(roles) => With::InTurn(InTurn { server, administrator, shape, roles }),
        }
    }
}

#[async_trait]
impl CredentialSetter for PostgresSetter {
    fn account(&self) -> Account {
        let (user, way) = match &self.roles {
            Roles::One(role) => (role.clone(), Way::Replaces),
            Roles::InTurn(roles) => (roles.join("/"), Way::Alternates),
        };
        Account::new(self.server.to_string(), user, way)
    }

    fn next_value(&self, current: &SecretValue, password: &SecretValue) -> Result<SecretValue> {
        match self.with() {
            With::One(role) => role.next_value(current, password),
            With::InTurn(roles) => roles.next_value(current, password),
        }
    }

    async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        match self.with() {
            With::One(role) => role.set(rotation, current, next).await,
            With::InTurn(roles) => roles.set(rotation, current, next).await,
        }
    }

    async fn verify(&self, value: &SecretValue) -> Login {
        let (role, password) = match self.with() {
            With::One(one) => (one.role, one.password(value)),
            With::InTurn(roles) => match roles.turn(value) {
                Ok(turn) => (turn.role, Ok(turn.password)),
                Err(error) => return Login::Unclear(error),
            },
        };
        match password {
            Ok(password) => self.server.login(role, &password).await,
            Err(error) => Login::Unclear(error),
        }
    }

    async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()> {
        match self.with() {
            With::One(role) => role.revoke(rotation, old).await,
            With::InTurn(roles) => roles.revoke(rotation, old).await,
        }
    }

    async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()> {
        match self.with() {
            With::One(role) => role.undo(rotation, current).await,
            With::InTurn(roles) => roles.undo(rotation, current).await,
        }
    }
}
