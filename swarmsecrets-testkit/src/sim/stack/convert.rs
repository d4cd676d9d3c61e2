//! A service of a compose file as a spec for the Engine.

use serde_json::{Map, Value, json};

use super::NAMESPACE;
use super::compose::{Compose, Health, Mount, Pairs, Restart, Service, Source, Update, nanos};
use crate::sim::service::Stored;
use crate::sim::world::World;

/// The spec of the service `name` of a stack.
pub(crate) fn spec(
    world: &World,
    stack: &str,
    name: &str,
    service: &Service,
    compose: &Compose,
) -> Result<Value, String> {
    let image = service.image.clone().unwrap_or_default();
    let mut labels = labels(service.deploy.labels.as_ref(), stack);
    labels.insert("com.docker.stack.image".into(), json!(image));
    let mut template = json!({
        "ContainerSpec": container(world, stack, service, compose)?,
        "Resources": {},
        "Placement": {},
        "Networks": [{"Target": world.networks.get(&format!("{stack}_default")), "Aliases": [name]}],
    });
    if !service.deploy.placement.constraints.is_empty() {
        template["Placement"] = json!({"Constraints": service.deploy.placement.constraints});
    }
    if let Some(policy) = &service.deploy.restart_policy {
        template["RestartPolicy"] = restart(policy);
    }
    let mut spec = json!({
        "Name": format!("{stack}_{name}"),
        "Labels": labels,
        "TaskTemplate": template,
        "Mode": mode(service)?,
        "EndpointSpec": {"Mode": service.deploy.endpoint_mode.as_deref().unwrap_or("vip")},
    });
    for (key, config) in
        [("UpdateConfig", &service.deploy.update_config), ("RollbackConfig", &service.deploy.rollback_config)]
    {
        if let Some(config) = config {
            spec[key] = update(config);
        }
    }
    Ok(spec)
}

fn container(world: &World, stack: &str, service: &Service, compose: &Compose) -> Result<Value, String> {
    let mut container = json!({
        "Image": service.image,
        "Labels": labels(service.labels.as_ref(), stack),
        "Privileges": {"CredentialSpec": null, "SELinuxContext": null},
    });
    let environment = service.environment.as_ref().map(Pairs::pairs).unwrap_or_default();
    let environment: Vec<String> = environment.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let secrets = references(&service.secrets, "secret", &compose.secrets, world.secrets.values())?;
    let configs = references(&service.configs, "config", &compose.configs, world.configs.values())?;
    for (key, value) in [
        ("Args", service.command.as_ref().map(|words| json!(words.words()))),
        ("Command", service.entrypoint.as_ref().map(|words| json!(words.words()))),
        ("Env", (!environment.is_empty()).then(|| json!(environment))),
        ("Secrets", (!secrets.is_empty()).then(|| json!(secrets))),
        ("Configs", (!configs.is_empty()).then(|| json!(configs))),
        ("Healthcheck", service.healthcheck.as_ref().map(health)),
        ("StopGracePeriod", service.stop_grace_period.as_deref().and_then(nanos).map(Value::from)),
    ] {
        if let Some(value) = value {
            container[key] = value;
        }
    }
    Ok(container)
}

/// The references to secrets or configs, sorted by name as the command does.
fn references<'a>(
    mounts: &[Mount],
    what: &str,
    sources: &std::collections::BTreeMap<String, Option<Source>>,
    stored: impl Iterator<Item = &'a Stored> + Clone,
) -> Result<Vec<Value>, String> {
    let mut list = Vec::new();
    for mount in mounts {
        let (source, target, uid, gid, mode) = match mount {
            Mount::Short(source) => (source, None, None, None, None),
            Mount::Long { source, target, uid, gid, mode } => {
                (source, target.as_deref(), uid.as_deref(), gid.as_deref(), *mode)
            }
        };
        let declared = sources.get(source).ok_or_else(|| format!("undefined {what} {source:?}"))?;
        let none = Source::default();
        let name = declared.as_ref().unwrap_or(&none).external_name(source).unwrap_or(source).to_owned();
        let Some(object) = stored.clone().find(|object| object.name() == name) else {
            return Err(format!("{what} not found: {name}"));
        };
        // A config without a target stands at the root of the file system, under its key.
        let target =
            target.map_or_else(|| if what == "config" { format!("/{source}") } else { source.clone() }, str::to_owned);
        let file = json!({
            "Name": target,
            "UID": uid.unwrap_or("0"),
            "GID": gid.unwrap_or("0"),
            "Mode": mode.unwrap_or(0o444),
        });
        let (id_key, name_key) = if what == "config" { ("ConfigID", "ConfigName") } else { ("SecretID", "SecretName") };
        list.push((name.clone(), json!({"File": file, id_key: object.id, name_key: name})));
    }
    list.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(list.into_iter().map(|(_, reference)| reference).collect())
}

fn labels(pairs: Option<&Pairs>, stack: &str) -> Map<String, Value> {
    let mut labels: Map<String, Value> = Map::new();
    for (key, value) in pairs.map(Pairs::pairs).unwrap_or_default() {
        labels.insert(key, json!(value));
    }
    labels.insert(NAMESPACE.into(), json!(stack));
    labels
}

fn mode(service: &Service) -> Result<Value, String> {
    let replicas = service.deploy.replicas;
    match service.deploy.mode.as_deref() {
        None | Some("replicated") => Ok(json!({"Replicated": {"Replicas": replicas.unwrap_or(1)}})),
        Some("global") if replicas.is_some() => Err("replicas can only be used with replicated mode".into()),
        Some("global") => Ok(json!({"Global": {}})),
        Some("replicated-job") => {
            let count = replicas.unwrap_or(1);
            Ok(json!({"ReplicatedJob": {"MaxConcurrent": count, "TotalCompletions": count}}))
        }
        Some("global-job") => Ok(json!({"GlobalJob": {}})),
        Some(other) => Err(format!("Unknown mode: {other}")),
    }
}

fn update(config: &Update) -> Value {
    let mut update = json!({"Parallelism": config.parallelism.unwrap_or(1)});
    put(&mut update, "Delay", config.delay.as_deref().and_then(nanos).map(Value::from));
    put(&mut update, "Monitor", config.monitor.as_deref().and_then(nanos).map(Value::from));
    put(&mut update, "FailureAction", config.failure_action.clone().map(Value::from));
    put(&mut update, "Order", config.order.clone().map(Value::from));
    put(&mut update, "MaxFailureRatio", config.max_failure_ratio.clone());
    update
}

fn restart(policy: &Restart) -> Value {
    let condition = match policy.condition.as_deref() {
        Some("none") => "none",
        Some("on-failure") => "on-failure",
        _ => "any",
    };
    let mut restart = json!({"Condition": condition});
    put(&mut restart, "Delay", policy.delay.as_deref().and_then(nanos).map(Value::from));
    put(&mut restart, "MaxAttempts", policy.max_attempts.map(Value::from));
    restart
}

fn health(health: &Health) -> Value {
    if health.disable {
        return json!({"Test": ["NONE"]});
    }
    let mut check = json!({});
    let test = health.test.as_ref().map(|test| match test {
        super::compose::Words::Text(text) => json!(["CMD-SHELL", text]),
        super::compose::Words::List(words) => json!(words),
    });
    put(&mut check, "Test", test);
    put(&mut check, "Interval", health.interval.as_deref().and_then(nanos).map(Value::from));
    put(&mut check, "Timeout", health.timeout.as_deref().and_then(nanos).map(Value::from));
    put(&mut check, "StartPeriod", health.start_period.as_deref().and_then(nanos).map(Value::from));
    put(&mut check, "Retries", health.retries.map(Value::from));
    check
}

fn put(object: &mut Value, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[key] = value;
    }
}
