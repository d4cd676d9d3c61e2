//! What every [`HealthProbe`] must do.

use std::time::Duration;

use async_trait::async_trait;
use swarmsecrets_core::exec::Exec;
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, Target};
use swarmsecrets_core::ids::is_unprintable;
use tokio::time::timeout;

use super::must;

/// How the service does that a probe is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It works.
    Working,
    /// It answers, and what it says is that it does not work; [`Stage::value`] stands in the answer, if any text does.
    Broken,
    /// Nothing answers, or this account may not ask.
    Unreachable,
    /// Something takes the question and never answers.
    Silent,
}

/// A probe, and a service that it can be asked about.
#[async_trait]
pub trait Stage: Sync {
    /// Puts the service into a condition.
    async fn set(&self, condition: Condition);
    /// The probe.
    fn probe(&self) -> &dyn HealthProbe;
    /// The service as it is now.
    fn target(&self) -> Target;
    /// What commands are run with.
    fn exec(&self) -> &dyn Exec;
    /// A value that must not be shown.
    fn value(&self) -> &str;
    /// How long the probe may take, its own deadline and some leeway.
    fn patience(&self) -> Duration;
    /// Whether the probe documents that silence and an unreachable service are unhealthy, and not inconclusive.
    fn silence_is_unhealthy(&self) -> bool;
}

/// The longest reason, in bytes.
const LONGEST_REASON: usize = 1_000;

/// Runs the suite.
///
/// # Panics
/// If the probe breaks a promise of the trait.
pub async fn check(stage: &impl Stage) {
    stage.set(Condition::Working).await;
    has_a_name(stage);
    let baseline = baseline(stage).await;
    works(stage, &baseline).await;
    another_baseline_condemns_nobody(stage).await;
    broken_is_unhealthy(stage, &baseline).await;
    for condition in [Condition::Unreachable, Condition::Silent] {
        no_answer_is_not_healthy(stage, condition, &baseline).await;
    }
    stage.set(Condition::Working).await;
    works(stage, &baseline).await;
}

fn has_a_name(stage: &impl Stage) {
    let name = stage.probe().name();
    assert!(!name.is_empty() && name.len() <= 300 && !name.chars().any(is_unprintable), "a name is a line: {name:?}");
    assert_eq!(name, stage.probe().name(), "a name stays");
    is_silent(stage, name);
}

async fn baseline(stage: &impl Stage) -> Baseline {
    let taken = timeout(stage.patience(), stage.probe().baseline(&stage.target(), stage.exec())).await;
    let taken = must("a baseline of a service that works is taken", taken.unwrap_or_else(|_| too_late()));
    let text = String::from(taken.clone());
    is_silent(stage, &text);
    must("a baseline is read back from a journal", Baseline::try_from(text))
}

#[allow(clippy::panic, reason = "a suite is for tests alone, which fail by panicking")]
fn too_late<T>() -> T {
    panic!("a probe keeps to its deadline")
}

async fn ask(stage: &impl Stage, baseline: &Baseline) -> Health {
    let asked = timeout(stage.patience(), stage.probe().check(&stage.target(), baseline, stage.exec())).await;
    let health = asked.unwrap_or_else(|_| too_late());
    if let Health::Unhealthy { reason } | Health::Inconclusive { reason } = &health {
        assert!(!reason.is_empty() && reason.len() <= LONGEST_REASON, "a reason is said, and short: {reason:?}");
        assert!(!reason.chars().any(is_unprintable), "a reason is fit to be printed: {reason:?}");
        is_silent(stage, reason);
    }
    health
}

fn is_silent(stage: &impl Stage, text: &str) {
    assert!(!text.contains(stage.value()), "no value is shown");
}

async fn works(stage: &impl Stage, baseline: &Baseline) {
    for _ in 0..2 {
        assert_eq!(ask(stage, baseline).await, Health::Healthy, "a service that works is healthy");
    }
}

async fn another_baseline_condemns_nobody(stage: &impl Stage) {
    let foreign = must("a baseline is made", Baseline::of(&"another's baseline"));
    let health = ask(stage, &foreign).await;
    assert!(!matches!(health, Health::Unhealthy { .. }), "a baseline that is another's condemns nobody: {health:?}");
}

async fn broken_is_unhealthy(stage: &impl Stage, baseline: &Baseline) {
    stage.set(Condition::Broken).await;
    let health = ask(stage, baseline).await;
    assert!(matches!(health, Health::Unhealthy { .. }), "a service that says it is broken is unhealthy: {health:?}");
}

async fn no_answer_is_not_healthy(stage: &impl Stage, condition: Condition, baseline: &Baseline) {
    stage.set(condition).await;
    let health = ask(stage, baseline).await;
    let unhealthy = matches!(health, Health::Unhealthy { .. });
    let inconclusive = matches!(health, Health::Inconclusive { .. });
    assert!(
        if stage.silence_is_unhealthy() { unhealthy } else { inconclusive },
        "{condition:?} is what the probe documents: {health:?}"
    );
    let taken = timeout(stage.patience(), stage.probe().baseline(&stage.target(), stage.exec())).await;
    let error = taken.unwrap_or_else(|_| too_late()).err();
    assert!(error.is_some(), "a baseline is not taken of a service that is {condition:?}");
    is_silent(stage, &format!("{error:?}"));
}
