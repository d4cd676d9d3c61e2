//! Tests of the repository itself: what no compiler checks, but every part of it relies on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, and so do the functions that it calls")]

mod attacks;
mod features;
mod fixtures;
mod layers;
mod links;
mod names;
mod tree;
