//! Changes passwords in Redis in two phases: a [`CredentialSetter`](swarmsecrets_core::credential::CredentialSetter). A user of
//! Redis (6 and newer) or Valkey can have several passwords, so that nobody is locked out while services move.
//!
//! ```no_run
//! use swarmsecrets_core::SecretValue;
//! use swarmsecrets_redis::RedisSetter;
//!
//! # fn main() -> swarmsecrets_core::Result<()> {
//! # let password_of_the_administrator = SecretValue::credential(vec![]);
//! let setter = RedisSetter::at("cache.example.org", 6379)
//!     .administrator("rotator", password_of_the_administrator)
//!     .user("app")
//!     .shape("url-password".parse()?)
//!     .build()?;
//! # let _ = setter;
//! # Ok(())
//! # }
//! ```
//!
//! # What is sent
//! `ACL SETUSER app #…`, with the password's SHA-256, which is what Redis keeps; then `!…` for the old one. The password itself is
//! sent to log in alone. Sessions that are open stay open. A user that may log in without a password (`nopass`) is refused.
//!
//! # What survives a restart
//! Users are saved to where they came from: with `ACL SAVE` if the server has an ACL file, else with `CONFIG REWRITE`. Where there is
//! neither, nothing is changed unless [`Builder::users_in_memory_only`] says that this is known. A replica and each node of a cluster
//! have users of their own: each needs a setter.
//!
//! # What the administrator needs
//! `+acl|getuser +acl|setuser +acl|save +config|get +config|rewrite +info`.
//!
//! # The connection
//! It is encrypted, and the certificate checked, as [`Encryption`](swarmsecrets_core::credential::Encryption) says.

mod builder;
mod failure;
mod hash;
mod server;
mod session;
mod setter;
mod tls;

pub use self::builder::Builder;
pub use self::setter::RedisSetter;
