//! Reading service specs, and what the Engine adds to one before it stores it.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// How the tasks of a service are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Replicated(u64),
    Global,
    ReplicatedJob { concurrent: u64, total: u64 },
    GlobalJob,
}

impl Mode {
    pub(crate) fn of(spec: &Value) -> Self {
        let mode = &spec["Mode"];
        if mode["Global"].is_object() {
            Self::Global
        } else if mode["GlobalJob"].is_object() {
            Self::GlobalJob
        } else if mode["ReplicatedJob"].is_object() {
            let concurrent = mode["ReplicatedJob"]["MaxConcurrent"].as_u64().unwrap_or(1).max(1);
            let total = mode["ReplicatedJob"]["TotalCompletions"].as_u64().unwrap_or(concurrent);
            Self::ReplicatedJob { concurrent, total }
        } else {
            Self::Replicated(mode["Replicated"]["Replicas"].as_u64().unwrap_or(1))
        }
    }

    pub(crate) fn is_job(self) -> bool {
        matches!(self, Self::ReplicatedJob { .. } | Self::GlobalJob)
    }

    /// Whether a service may go from this mode to another one: only the numbers may change.
    pub(crate) fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// What happens when a task of a rollout fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureAction {
    Pause,
    Continue,
    Rollback,
}

/// How a rollout is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UpdateConfig {
    pub(crate) parallelism: usize,
    pub(crate) delay: Duration,
    pub(crate) monitor: Duration,
    pub(crate) action: FailureAction,
    pub(crate) max_failure_ratio: f64,
    pub(crate) start_first: bool,
}

impl UpdateConfig {
    /// The configuration under `UpdateConfig` or `RollbackConfig`, with the Engine's defaults.
    pub(crate) fn of(config: &Value) -> Self {
        let given = config.is_object();
        let parallelism = config["Parallelism"].as_u64().unwrap_or(u64::from(!given));
        Self {
            parallelism: usize::try_from(parallelism).unwrap_or(usize::MAX),
            delay: duration(&config["Delay"]).unwrap_or_default(),
            monitor: duration(&config["Monitor"]).filter(|d| !d.is_zero()).unwrap_or(Duration::from_secs(5)),
            action: match config["FailureAction"].as_str() {
                Some("continue") => FailureAction::Continue,
                Some("rollback") => FailureAction::Rollback,
                _ => FailureAction::Pause,
            },
            max_failure_ratio: config["MaxFailureRatio"].as_f64().unwrap_or(0.0),
            start_first: config["Order"] == "start-first",
        }
    }
}

/// Whether and when a task that ended is replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RestartPolicy {
    pub(crate) on_success: bool,
    pub(crate) on_failure: bool,
    pub(crate) delay: Duration,
    pub(crate) max_attempts: u64,
}

impl RestartPolicy {
    pub(crate) fn of(task_spec: &Value) -> Self {
        let policy = &task_spec["RestartPolicy"];
        let condition = policy["Condition"].as_str().unwrap_or("any");
        Self {
            on_success: condition == "any",
            on_failure: condition != "none",
            delay: duration(&policy["Delay"]).unwrap_or(Duration::from_secs(5)),
            max_attempts: policy["MaxAttempts"].as_u64().unwrap_or(0),
        }
    }
}

/// When a container counts as healthy, if it is checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HealthCheck {
    pub(crate) interval: Duration,
    pub(crate) start_period: Duration,
    pub(crate) retries: u32,
}

impl HealthCheck {
    pub(crate) fn of(task_spec: &Value) -> Option<Self> {
        let check = &task_spec["ContainerSpec"]["Healthcheck"];
        let test = check["Test"].as_array()?;
        if test.is_empty() || test[0] == "NONE" {
            return None;
        }
        let given = |key: &str| duration(&check[key]).filter(|d| !d.is_zero());
        Some(Self {
            interval: given("Interval").unwrap_or(Duration::from_secs(30)),
            start_period: given("StartPeriod").unwrap_or_default(),
            retries: check["Retries"].as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(3),
        })
    }
}

/// A reference to a secret or a config, as a spec holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) target: Option<String>,
}

/// The secrets that a task's spec refers to.
pub(crate) fn secrets(task_spec: &Value) -> Vec<Reference> {
    references(&task_spec["ContainerSpec"]["Secrets"], "SecretID", "SecretName")
}

/// The configs that a task's spec refers to.
pub(crate) fn configs(task_spec: &Value) -> Vec<Reference> {
    references(&task_spec["ContainerSpec"]["Configs"], "ConfigID", "ConfigName")
}

fn references(list: &Value, id: &str, name: &str) -> Vec<Reference> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.as_array()
        .into_iter()
        .flatten()
        .map(|one| Reference {
            id: text(&one[id]),
            name: text(&one[name]),
            target: one["File"]["Name"].as_str().map(str::to_owned),
        })
        .collect()
}

/// The placement constraints of a task's spec.
pub(crate) fn constraints(task_spec: &Value) -> Vec<&str> {
    task_spec["Placement"]["Constraints"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// How long a container may take to stop before it is killed.
pub(crate) fn stop_grace_period(task_spec: &Value) -> Duration {
    duration(&task_spec["ContainerSpec"]["StopGracePeriod"]).unwrap_or(Duration::from_secs(10))
}

/// A name or another text of a spec; empty if it is not there.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The part of a service's spec that its tasks are made of. Tasks do not repeat the runtime.
pub(crate) fn task_spec(service_spec: &Value) -> Value {
    let mut spec = service_spec["TaskTemplate"].clone();
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("Runtime");
    }
    spec
}

/// Puts a service spec in the form in which the Engine gives it back. What it does not know is kept.
pub(crate) fn normalise(spec: &mut Value) {
    let Some(root) = spec.as_object_mut() else { return };
    root.entry("Labels").or_insert(Value::Null);
    for key in ["UpdateConfig", "RollbackConfig"] {
        if root.get(key).is_some_and(Value::is_null) {
            root.remove(key);
        }
        if let Some(config) = root.get_mut(key).and_then(Value::as_object_mut) {
            normalise_update_config(config);
        }
    }
    let template = object_at(root, "TaskTemplate");
    template.entry("ForceUpdate").or_insert(json!(0));
    template.entry("Runtime").or_insert(json!("container"));
    for key in ["LogDriver", "RestartPolicy"] {
        if template.get(key).is_some_and(Value::is_null) {
            template.remove(key);
        }
    }
    if let Some(policy) = template.get_mut("RestartPolicy").and_then(Value::as_object_mut) {
        policy.entry("MaxAttempts").or_insert(json!(0));
    }
    object_at(template, "ContainerSpec").entry("Isolation").or_insert(json!("default"));
    if root.get("Mode").and_then(Value::as_object).is_none_or(Map::is_empty) {
        root.insert("Mode".into(), json!({"Replicated": {"Replicas": 1}}));
    }
}

fn normalise_update_config(config: &mut Map<String, Value>) {
    if config.get("Delay") == Some(&json!(0)) {
        config.remove("Delay");
    }
    config.entry("Parallelism").or_insert(json!(0));
    config.entry("FailureAction").or_insert(json!("pause"));
    config.entry("Order").or_insert(json!("stop-first"));
    let ratio = config.entry("MaxFailureRatio").or_insert(json!(0));
    if ratio.as_f64() == Some(0.0) {
        *ratio = json!(0);
    }
}

fn object_at<'a>(map: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let place = map.entry(key).or_insert(Value::Null);
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    match place {
        Value::Object(map) => map,
        _ => unreachable!("it was made an object above"),
    }
}

fn duration(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_fills_in_its_defaults_and_keeps_the_rest() {
        let mut spec = json!({
            "Name": "db", "Labels": {}, "Odd": {"kept": [1, null]},
            "TaskTemplate": {
                "ContainerSpec": {"Image": "i"}, "RestartPolicy": {"Condition": "any"}, "Placement": {}, "LogDriver": null
            },
            "Mode": {"Replicated": {"Replicas": 2}},
            "UpdateConfig": {"Parallelism": 1, "Delay": 0, "Monitor": 5, "MaxFailureRatio": 0.0},
        });
        normalise(&mut spec);
        assert_eq!(spec["TaskTemplate"]["ContainerSpec"], json!({"Image": "i", "Isolation": "default"}));
        assert_eq!(spec["TaskTemplate"]["RestartPolicy"], json!({"Condition": "any", "MaxAttempts": 0}));
        assert!(spec["TaskTemplate"].get("LogDriver").is_none());
        assert_eq!(
            spec["UpdateConfig"].to_string(),
            r#"{"FailureAction":"pause","MaxFailureRatio":0,"Monitor":5,"Order":"stop-first","Parallelism":1}"#
        );
        assert_eq!(spec["Odd"], json!({"kept": [1, null]}));
        let once = spec.clone();
        normalise(&mut spec);
        assert_eq!(spec, once);
    }

    #[test]
    fn modes_and_their_defaults() {
        assert_eq!(Mode::of(&json!({})), Mode::Replicated(1));
        assert_eq!(Mode::of(&json!({"Mode": {"Replicated": {"Replicas": 0}}})), Mode::Replicated(0));
        assert_eq!(Mode::of(&json!({"Mode": {"Global": {}}})), Mode::Global);
        let job = Mode::of(&json!({"Mode": {"ReplicatedJob": {"MaxConcurrent": 2}}}));
        assert_eq!(job, Mode::ReplicatedJob { concurrent: 2, total: 2 });
        assert!(job.is_job() && !job.is_like(Mode::GlobalJob));
    }

    #[test]
    fn without_a_configuration_one_task_at_a_time_is_updated() {
        assert_eq!(UpdateConfig::of(&Value::Null).parallelism, 1);
        assert_eq!(UpdateConfig::of(&json!({"Parallelism": 0})).parallelism, 0);
        assert_eq!(UpdateConfig::of(&Value::Null).monitor, Duration::from_secs(5));
    }
}
