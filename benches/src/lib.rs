//! Worlds of any size as JSON, and the plain way to read them: what the benches compare with.

pub mod baseline;
pub mod world;
