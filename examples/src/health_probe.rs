//! A health probe: takes no fewer running tasks for healthy than there were before.

use async_trait::async_trait;
use swarmsecrets_core::Result;
use swarmsecrets_core::exec::Exec;
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, Target};

/// Counts tasks. It looks at what it is told alone: a probe that asks a server is `swarmsecrets_health::TcpProbe`.
pub struct AllTasksAreBack;

#[async_trait]
impl HealthProbe for AllTasksAreBack {
    fn name(&self) -> &str {
        "all tasks are back"
    }

    async fn baseline(&self, target: &Target, _: &dyn Exec) -> Result<Baseline> {
        Baseline::of(&target.tasks.len())
    }

    async fn check(&self, target: &Target, baseline: &Baseline, _: &dyn Exec) -> Health {
        match baseline.read::<usize>() {
            Ok(before) if target.tasks.len() >= before => Health::Healthy,
            Ok(before) => Health::unhealthy(format!("{} of {before} tasks are back", target.tasks.len())),
            Err(error) => Health::inconclusive(error.message()),
        }
    }
}
