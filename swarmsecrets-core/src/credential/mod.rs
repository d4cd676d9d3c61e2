//! The systems that a secret opens: a database, a cache. The strategy `overlap` has the password changed there while the
//! services move from the old version to the new one.
//!
//! - [`CredentialSetter`] is what a plugin implements, one for each kind of system.
//! - [`Shape`] says where the password stands in a secret's value, and puts another one there.
//! - [`Encryption`] says when a setter encrypts its connections.
//! - [`Commands`] change a password from within a container, and read both values from files there.
//!
//! The order in which a rotation calls a setter:
//!
//! ```text
//! next_value ─▶ (create the version) ─▶ set ─▶ verify next, verify old ─▶ (move the consumers) ─▶ revoke ─▶ verify old
//!                                        └──────────── undo, from any point before revoke ───────────┘
//! ```
//!
//! # Two users that take turns
//! Where a system holds one password for each user ([`Way::Replaces`]), whoever still has the old one is locked out as soon
//! as the new one is set. Two users with the same rights have no such moment ([`Way::Alternates`]): while services log in
//! as `app_a`, the password of `app_b` is set; when all have moved to `app_b`, `app_a` is shut. The secret's value then
//! names the user too: a URL, or JSON like
//!
//! ```json
//! {"username": "app_a", "password": "…"}
//! ```

mod commands;
mod encryption;
mod setter;
mod shape;

pub use self::commands::{CommandLines, Commands, Place, Provider};
pub use self::encryption::Encryption;
pub use self::setter::{Account, CredentialSetter, Login, Way};
pub use self::shape::{Credential, Shape};
