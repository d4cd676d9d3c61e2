//! Examples of swarmsecrets. Run one with `cargo run --release --example rotate`.
