//! The parts of a service's spec that the usage graph and the plans look at. Never written back: see
//! [`SpecText`](super::SpecText) for that.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::text::{Text, TextMap, or_default};
use super::{FailureAction, SecretReference, ServiceMode, UpdateConfig};

const SECOND: u64 = 1_000_000_000;

/// The read view of a service's spec.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServiceSpec<'a> {
    /// The service's name.
    #[serde(borrow, default)]
    pub name: Text<'a>,
    /// The service's labels.
    #[serde(borrow, default)]
    pub labels: TextMap<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    task_template: TaskTemplate<'a>,
    #[serde(default, deserialize_with = "or_default")]
    mode: Mode,
    #[serde(borrow, default)]
    update_config: Option<UpdateConfigText<'a>>,
    #[serde(borrow, default)]
    endpoint_spec: Option<EndpointSpec<'a>>,
}

/// What a task's spec says of its container.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TaskTemplate<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) container_spec: ContainerSpec<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContainerSpec<'a> {
    #[serde(borrow, default)]
    image: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) secrets: Vec<Reference<'a>>,
    #[serde(borrow, default)]
    healthcheck: Option<HealthCheck<'a>>,
}

/// One entry of `ContainerSpec.Secrets`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Reference<'a> {
    #[serde(borrow, rename = "SecretID", default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, rename = "SecretName", default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    file: File<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, rename = "UID", default)]
    uid: Text<'a>,
    #[serde(borrow, rename = "GID", default)]
    gid: Text<'a>,
    #[serde(default)]
    mode: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthCheck<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    test: Vec<Text<'a>>,
    #[serde(default)]
    interval: i64,
    #[serde(default)]
    start_period: i64,
    #[serde(default)]
    retries: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mode {
    replicated: Option<Replicated>,
    global: Option<IgnoredAny>,
    replicated_job: Option<IgnoredAny>,
    global_job: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replicated {
    replicas: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateConfigText<'a> {
    #[serde(default)]
    parallelism: u64,
    #[serde(default)]
    delay: i64,
    #[serde(default)]
    monitor: i64,
    #[serde(borrow, default)]
    failure_action: Text<'a>,
    #[serde(borrow, default)]
    order: Text<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EndpointSpec<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    ports: Vec<Port<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Port<'a> {
    #[serde(borrow, default)]
    publish_mode: Text<'a>,
}

impl ServiceSpec<'_> {
    /// The image as the spec names it.
    #[must_use]
    pub fn image(&self) -> &str {
        &self.task_template.container_spec.image
    }

    /// The references to secrets, in the order of the spec.
    pub fn references(&self) -> impl ExactSizeIterator<Item = SecretReference> {
        self.task_template.container_spec.secrets.iter().map(Reference::to_owned)
    }

    /// How many tasks it asks for.
    #[must_use]
    pub fn mode(&self) -> ServiceMode {
        let mode = &self.mode;
        if mode.global_job.is_some() {
            ServiceMode::GlobalJob
        } else if mode.replicated_job.is_some() {
            ServiceMode::ReplicatedJob
        } else if mode.global.is_some() {
            ServiceMode::Global
        } else {
            // The Engine's default is one replica.
            ServiceMode::Replicated(mode.replicated.as_ref().and_then(|r| r.replicas).unwrap_or(1))
        }
    }

    /// How it is updated, with the Engine's defaults filled in.
    #[must_use]
    pub fn update(&self) -> UpdateConfig {
        self.update_config.as_ref().map_or_else(UpdateConfig::default, UpdateConfigText::to_owned)
    }

    /// How long its health check takes to call a container unhealthy, in nanoseconds; `None` without a health check of
    /// the service's own. (An image may bring one along: the spec does not say.)
    #[must_use]
    pub fn health_check_ns(&self) -> Option<u64> {
        self.task_template.container_spec.healthcheck.as_ref().and_then(HealthCheck::longest)
    }

    /// Whether it publishes a port in host mode.
    #[must_use]
    pub fn host_port(&self) -> bool {
        self.endpoint_spec.iter().flat_map(|e| &e.ports).any(|port| &*port.publish_mode == "host")
    }
}

impl Reference<'_> {
    /// The file's name in the container.
    pub(super) fn target(&self) -> &str {
        &self.file.name
    }

    fn to_owned(&self) -> SecretReference {
        SecretReference {
            id: self.id.to_string(),
            name: self.name.to_string(),
            target: self.file.name.to_string(),
            uid: self.file.uid.to_string(),
            gid: self.file.gid.to_string(),
            mode: self.file.mode,
        }
    }
}

impl UpdateConfigText<'_> {
    fn to_owned(&self) -> UpdateConfig {
        let monitor = at_least_zero(self.monitor);
        UpdateConfig {
            parallelism: self.parallelism,
            delay: at_least_zero(self.delay),
            monitor: if monitor == 0 { UpdateConfig::default().monitor } else { monitor },
            failure_action: match &*self.failure_action {
                "continue" => FailureAction::Continue,
                "rollback" => FailureAction::Rollback,
                _ => FailureAction::Pause,
            },
            start_first: &*self.order == "start-first",
        }
    }
}

impl HealthCheck<'_> {
    /// A container turns unhealthy after this many nanoseconds of bad checks.
    fn longest(&self) -> Option<u64> {
        if self.test.first().is_some_and(|word| &**word == "NONE") {
            return None;
        }
        let or = |value: i64, default: u64| if value > 0 { at_least_zero(value) } else { default };
        let checks = or(self.interval, 30 * SECOND).saturating_mul(or(self.retries, 3));
        Some(at_least_zero(self.start_period).saturating_add(checks))
    }
}

fn at_least_zero(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> ServiceSpec<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_empty_spec_has_the_engines_defaults() {
        for text in ["{}", r#"{"Labels":null,"TaskTemplate":{"ContainerSpec":null},"Mode":{"Replicated":{}}}"#] {
            let spec = spec(text);
            assert_eq!(spec.mode(), ServiceMode::Replicated(1));
            assert_eq!((spec.update().parallelism, spec.update().monitor), (1, 5 * SECOND));
            assert_eq!((spec.health_check_ns(), spec.host_port(), spec.references().len()), (None, false, 0));
        }
    }

    #[test]
    fn modes_are_told_apart() {
        assert_eq!(spec(r#"{"Mode":{"Replicated":{"Replicas":0}}}"#).mode(), ServiceMode::Replicated(0));
        assert_eq!(spec(r#"{"Mode":{"Global":{}}}"#).mode(), ServiceMode::Global);
        assert_eq!(spec(r#"{"Mode":{"ReplicatedJob":{"MaxConcurrent":1}}}"#).mode(), ServiceMode::ReplicatedJob);
        assert_eq!(spec(r#"{"Mode":{"GlobalJob":{}}}"#).mode(), ServiceMode::GlobalJob);
    }

    #[test]
    fn a_given_update_config_without_parallelism_is_all_at_once() {
        let update = spec(r#"{"UpdateConfig":{"FailureAction":"rollback","Order":"start-first"}}"#).update();
        assert_eq!((update.parallelism, update.start_first), (0, true));
        assert_eq!(update.failure_action, FailureAction::Rollback);
    }

    #[test]
    fn health_checks_take_start_period_and_all_their_retries() {
        let with = |check: &str| {
            let text = format!(r#"{{"TaskTemplate":{{"ContainerSpec":{{"Healthcheck":{check}}}}}}}"#);
            spec(&text).health_check_ns()
        };
        assert_eq!(with(r#"{"Test":["CMD","x"]}"#), Some(90 * SECOND));
        assert_eq!(
            with(r#"{"Test":["CMD","x"],"Interval":2000000000,"Retries":4,"StartPeriod":1000000000}"#),
            Some(9 * SECOND)
        );
        assert_eq!(with(r#"{"Test":["NONE"]}"#), None);
        assert_eq!(with("null"), None);
    }

    #[test]
    fn host_mode_ports_are_seen() {
        assert!(spec(r#"{"EndpointSpec":{"Ports":[{"PublishMode":"ingress"},{"PublishMode":"host"}]}}"#).host_port());
        assert!(!spec(r#"{"EndpointSpec":{"Ports":null}}"#).host_port());
    }
}
