//! The probes on real sockets, and on containers of a simulated Swarm.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod command;
mod http;
mod server;
mod suite;
mod tcp;

use swarmsecrets_core::exec::NoExec;
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, Target};
use swarmsecrets_core::{Error, Result};

/// A target that nobody looks at: these probes know where to go.
fn target() -> Target {
    Target { service: "pay1".parse().unwrap(), name: "pay".into(), stack: None, versions: vec![], tasks: vec![] }
}

async fn baseline(probe: &impl HealthProbe) -> Result<Baseline, Error> {
    probe.baseline(&target(), &NoExec).await
}

async fn check(probe: &impl HealthProbe, baseline: &Baseline) -> Health {
    probe.check(&target(), baseline, &NoExec).await
}

/// Whether it is unhealthy and says this.
fn unhealthy(health: Health, words: &str) -> bool {
    matches!(&health, Health::Unhealthy { reason } if reason.contains(words))
}
