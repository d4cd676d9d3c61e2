//! The keys of approvers: Ed25519, and whose they are.

mod keyring;
mod public_key;
mod signing_key;
#[cfg(test)]
pub(crate) mod testing;

pub use self::keyring::{ApproverKey, Keyring};
pub(crate) use self::keyring::{check_name, folded, same_person};
pub use self::public_key::PublicKey;
pub use self::signing_key::SigningKey;
pub(crate) use self::signing_key::draw;
