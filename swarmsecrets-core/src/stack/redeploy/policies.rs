//! How a service runs, is updated, restarted and checked.

use serde_json::{Value, json};

use super::super::tree::Node;
use super::answer::CannotTell;
use super::field::Field;
use super::quantities::nanos;

type Told<T> = Result<T, CannotTell>;

/// `mode` and `replicas`.
pub(super) fn mode(mode: &Field<'_>, replicas: &Field<'_>) -> Told<Value> {
    let count = if replicas.is_null() { None } else { Some(replicas.int()?) };
    match (mode.text_if_any()?.unwrap_or_default(), count) {
        ("" | "replicated", count) => Ok(json!({"Replicated": {"Replicas": count.unwrap_or(1)}})),
        ("global", None) => Ok(json!({"Global": {}})),
        // Any update runs a job again, and what is stored of one depends on the Engine.
        ("replicated-job" | "global-job", _) => mode.cannot("a redeployment runs a job again"),
        _ => mode.cannot("it is not a mode that goes with these replicas"),
    }
}

/// `update_config` and `rollback_config`.
pub(super) fn update(field: &Field<'_>) -> Told<Value> {
    if field.is_null() {
        return Ok(Value::Null);
    }
    let mut update = json!({"Parallelism": 1});
    for part in field.entries()? {
        let (key, value) = match part.key() {
            "parallelism" => ("Parallelism", json!(part.int()?)),
            "delay" => ("Delay", json!(nanos(&part)?)),
            "failure_action" => ("FailureAction", json!(part.text()?)),
            "monitor" => ("Monitor", json!(nanos(&part)?)),
            "max_failure_ratio" => ("MaxFailureRatio", ratio(&part)?),
            "order" => ("Order", json!(part.text()?)),
            _ => return part.unknown(),
        };
        update[key] = value;
    }
    Ok(update)
}

fn ratio(field: &Field<'_>) -> Told<Value> {
    match field.node() {
        Node::Float(ratio) => Ok(json!(ratio)),
        _ => field.int().map(Value::from),
    }
}

/// `restart_policy`.
pub(super) fn restart(field: &Field<'_>) -> Told<Value> {
    if field.is_null() {
        return Ok(Value::Null);
    }
    let mut restart = json!({});
    for part in field.entries()? {
        let (key, value) = match part.key() {
            "condition" => ("Condition", json!(part.text()?)),
            "delay" => ("Delay", json!(nanos(&part)?)),
            "max_attempts" => ("MaxAttempts", json!(part.int()?)),
            "window" => ("Window", json!(nanos(&part)?)),
            _ => return part.unknown(),
        };
        restart[key] = value;
    }
    Ok(restart)
}

/// The older `restart`, which counts where there is no `restart_policy`.
pub(super) fn legacy_restart(field: &Field<'_>) -> Told<Value> {
    let Some(text) = field.text_if_any()? else { return Ok(Value::Null) };
    let (name, attempts) = text.split_once(':').map_or((text, None), |(name, count)| (name, Some(count)));
    let attempts = match attempts.map(str::parse::<u64>) {
        None => 0,
        Some(Ok(count)) => count,
        Some(Err(_)) => return field.cannot("its number of attempts is not understood"),
    };
    match name {
        "" | "no" => Ok(Value::Null),
        "always" | "unless-stopped" => Ok(json!({"Condition": "any", "MaxAttempts": attempts})),
        "on-failure" => Ok(json!({"Condition": "on-failure", "MaxAttempts": attempts})),
        _ => field.cannot("it is not a restart policy"),
    }
}

/// `healthcheck`.
pub(super) fn health(field: &Field<'_>) -> Told<Value> {
    if !field.get("disable").is_null() && field.get("disable").flag()? {
        return Ok(json!({"Test": ["NONE"]}));
    }
    let mut check = json!({});
    for part in field.entries()? {
        let (key, value) = match part.key() {
            "disable" => continue,
            "test" if matches!(part.node(), Node::Text(_)) => ("Test", json!(["CMD-SHELL", part.text()?])),
            "test" => ("Test", json!(part.texts()?)),
            "interval" => ("Interval", json!(nanos(&part)?)),
            "timeout" => ("Timeout", json!(nanos(&part)?)),
            "start_period" => ("StartPeriod", json!(nanos(&part)?)),
            "start_interval" => ("StartInterval", json!(nanos(&part)?)),
            "retries" => ("Retries", json!(part.int()?)),
            _ => return part.unknown(),
        };
        check[key] = value;
    }
    Ok(check)
}
