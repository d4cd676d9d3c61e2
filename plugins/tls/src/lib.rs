//! Encrypted connections of the plugins: rustls with ring, nothing installed for the whole process. Whose certificates are believed, and
//! what went wrong with a connection, in words of our own.
//!
//! `trust`: the settings of a client · `failure`: the words

mod failure;
mod trust;

pub use self::failure::words;
pub use self::trust::{Trust, config, config_with_identity};
