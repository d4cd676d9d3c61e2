//! The integration tests of the test kit: the simulated Engine, Portainer's rules before it, and their recordings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod commands;
mod conformance;
mod credentials;
mod docker;
mod fault_proxy;
mod health;
mod http;
mod in_process;
mod ordered;
mod recording;
mod replay;
mod rotations;
mod schedules;
mod scripted;
mod sim_api;
mod sim_asking;
mod sim_demo;
mod sim_faults;
mod sim_orchestration;
mod sim_rollouts;
mod sim_saving;
mod sim_settling;
mod sim_stacks;
mod story;
mod swarm;
