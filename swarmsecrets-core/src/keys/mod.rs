//! The keys of approvers: Ed25519, and whose they are. And the key by which values are told apart.

mod fingerprint;
mod keyring;
mod public_key;
mod signing_key;
#[cfg(test)]
pub(crate) mod testing;

pub use self::fingerprint::FingerprintKey;
pub use self::keyring::{ApproverKey, Keyring};
pub(crate) use self::keyring::{check_name, folded, same_person};
pub use self::public_key::PublicKey;
pub use self::signing_key::SigningKey;
pub(crate) use self::signing_key::draw;
