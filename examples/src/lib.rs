//! Examples of swarmsecrets. Run one with `cargo run --release --example rotate`.
//!
//! The modules are plugins, one for each trait; `examples/python` has the same in Python, and `docs/plugins.md` walks through them.

pub mod approver;
pub mod audit_sink;
pub mod credential_setter;
pub mod health_probe;
pub mod secret_source;
pub mod transport;
