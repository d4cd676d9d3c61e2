//! Whether a service works after its secret was exchanged, beyond what Swarm says of its tasks: the trait of the probes
//! that ask, and the probe of log anomalies.
//!
//! A probe is asked twice: for a [`Baseline`] before the service is touched, and for its [`Health`] once the rollout has
//! been stable. Probes that need a socket of their own are plugins.

pub mod logs;
mod probe;

pub use self::logs::LogProbe;
pub use self::probe::{Baseline, Health, HealthProbe, MAX_BASELINE_BYTES, Target, TargetTask};
