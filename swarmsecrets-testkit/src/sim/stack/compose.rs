//! The part of a compose file that the simulation understands. The rest is passed over.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::variables;

/// A compose file.
#[derive(Debug, Deserialize)]
pub(crate) struct Compose {
    #[serde(default)]
    pub(crate) services: BTreeMap<String, Service>,
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, Option<Source>>,
    #[serde(default)]
    pub(crate) configs: BTreeMap<String, Option<Source>>,
}

/// A service of a compose file.
#[derive(Debug, Deserialize)]
pub(crate) struct Service {
    pub(crate) image: Option<String>,
    pub(crate) command: Option<Words>,
    pub(crate) entrypoint: Option<Words>,
    pub(crate) environment: Option<Pairs>,
    #[serde(default)]
    pub(crate) secrets: Vec<Mount>,
    #[serde(default)]
    pub(crate) configs: Vec<Mount>,
    #[serde(default)]
    pub(crate) deploy: Deploy,
    pub(crate) labels: Option<Pairs>,
    pub(crate) healthcheck: Option<Health>,
    pub(crate) stop_grace_period: Option<String>,
}

/// What stands under `deploy`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Deploy {
    pub(crate) mode: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) replicas: Option<u64>,
    pub(crate) endpoint_mode: Option<String>,
    pub(crate) labels: Option<Pairs>,
    pub(crate) update_config: Option<Update>,
    pub(crate) rollback_config: Option<Update>,
    pub(crate) restart_policy: Option<Restart>,
    #[serde(default)]
    pub(crate) placement: Placement,
}

/// What stands under `update_config` and `rollback_config`.
#[derive(Debug, Deserialize)]
pub(crate) struct Update {
    #[serde(default, deserialize_with = "number")]
    pub(crate) parallelism: Option<u64>,
    pub(crate) delay: Option<String>,
    pub(crate) failure_action: Option<String>,
    pub(crate) monitor: Option<String>,
    pub(crate) max_failure_ratio: Option<Value>,
    pub(crate) order: Option<String>,
}

/// What stands under `restart_policy`.
#[derive(Debug, Deserialize)]
pub(crate) struct Restart {
    pub(crate) condition: Option<String>,
    pub(crate) delay: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) max_attempts: Option<u64>,
}

/// What stands under `placement`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Placement {
    #[serde(default)]
    pub(crate) constraints: Vec<String>,
}

/// What stands under `healthcheck`.
#[derive(Debug, Deserialize)]
pub(crate) struct Health {
    pub(crate) test: Option<Words>,
    pub(crate) interval: Option<String>,
    pub(crate) timeout: Option<String>,
    pub(crate) start_period: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) retries: Option<u64>,
    #[serde(default)]
    pub(crate) disable: bool,
}

/// A command: words, or one text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Words {
    Text(String),
    List(Vec<String>),
}

impl Words {
    /// The words; a text is cut at blanks.
    pub(crate) fn words(&self) -> Vec<String> {
        match self {
            Self::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
            Self::List(words) => words.clone(),
        }
    }
}

/// Variables or labels: a map, or a list of `KEY=value`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Pairs {
    Map(BTreeMap<String, Value>),
    List(Vec<String>),
}

impl Pairs {
    /// The pairs, sorted by key. A key without a value has none in the shell that deploys either: it is left out.
    pub(crate) fn pairs(&self) -> BTreeMap<String, String> {
        match self {
            Self::Map(map) => {
                let given = map.iter().filter(|(_, value)| !value.is_null());
                given.map(|(key, value)| (key.clone(), plain(value))).collect()
            }
            Self::List(list) => {
                let given = list.iter().filter_map(|pair| pair.split_once('='));
                given.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
            }
        }
    }
}

/// A secret or config that a service mounts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Mount {
    Short(String),
    Long {
        source: String,
        target: Option<String>,
        #[serde(default, deserialize_with = "text")]
        uid: Option<String>,
        #[serde(default, deserialize_with = "text")]
        gid: Option<String>,
        #[serde(default, deserialize_with = "octal")]
        mode: Option<u64>,
    },
}

/// A secret or config of the file: where it comes from.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Source {
    external: Option<External>,
    name: Option<String>,
    file: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum External {
    Flag(bool),
    Named { name: String },
}

impl Source {
    /// The name of an external object that stands in the file as `key`; nothing if it is not external.
    pub(crate) fn external_name<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        match &self.external {
            Some(External::Named { name }) => Some(name),
            Some(External::Flag(true)) => Some(self.name.as_deref().unwrap_or(key)),
            _ => None,
        }
    }
}

impl Compose {
    /// Reads a file and fills in its variables.
    pub(crate) fn read(file: &str, variables: &[(String, String)]) -> Result<Self, String> {
        let options = serde_saphyr::options! { legacy_octal_numbers: true };
        let value: Value =
            serde_saphyr::from_str_with_options(file, options).map_err(|error| format!("yaml: {error}"))?;
        let value = variables::fill(value, variables)?;
        serde_json::from_value(value).map_err(|error| format!("invalid compose file: {error}"))
    }

    /// Refuses secrets and configs that come from files: there are none beside a stack in a simulation.
    pub(crate) fn refuse_files(&self, stack: &str) -> Result<(), String> {
        for source in self.secrets.values().chain(self.configs.values()).flatten() {
            if let (None | Some(External::Flag(false)), Some(file)) = (&source.external, &source.file) {
                let file = file.trim_start_matches("./");
                return Err(format!("open /data/compose/{stack}/{file}: no such file or directory"));
            }
        }
        Ok(())
    }
}

/// A duration as compose files have them, such as `1m30s`, in nanoseconds.
pub(crate) fn nanos(text: &str) -> Option<u64> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "h" => Duration::from_secs(3600),
            "m" => Duration::from_secs(60),
            "s" => Duration::from_secs(1),
            "ms" => Duration::from_millis(1),
            "us" => Duration::from_micros(1),
            _ => return None,
        };
        rest = &rest[letters..];
        total += unit.saturating_mul(u32::try_from(count).ok()?);
    }
    u64::try_from(total.as_nanos()).ok()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A number, or the text that a variable has left in its place.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<Value>::deserialize(from)?;
    value.map(|value| plain(&value).parse().map_err(serde::de::Error::custom)).transpose()
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Value>::deserialize(from)?.map(|value| plain(&value)))
}

fn octal<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    match Option::<Value>::deserialize(from)? {
        Some(Value::String(text)) => {
            let digits = text.trim_start_matches("0o");
            u64::from_str_radix(digits, 8).map(Some).map_err(serde::de::Error::custom)
        }
        Some(value) => value.as_u64().map(Some).ok_or_else(|| serde::de::Error::custom("a mode is a number")),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_modes_come_in_many_forms() {
        let file = r#"
services:
  web:
    image: i
    secrets: [a, {source: b, target: t, mode: 0400}, {source: c, mode: "0440", uid: 33}]
    deploy: {replicas: "${N:-3}"}
secrets:
  a: {external: true}
  b: {external: true, name: "${B}"}
  c: {external: {name: old_form}}
"#;
        let compose = Compose::read(file, &[("B".into(), "b_v2".into())]).unwrap();
        let web = &compose.services["web"];
        assert_eq!(web.deploy.replicas, Some(3));
        let modes: Vec<_> =
            web.secrets.iter().map(|one| matches!(one, Mount::Long { mode: Some(256 | 288), .. })).collect();
        assert_eq!(modes, [false, true, true]);
        let names: Vec<_> = compose.secrets.iter().map(|(key, one)| one.as_ref().unwrap().external_name(key)).collect();
        assert_eq!(names, [Some("a"), Some("b_v2"), Some("old_form")]);
        assert!(Compose::read("a: [", &[]).unwrap_err().starts_with("yaml: "));
    }

    #[test]
    fn durations() {
        assert_eq!(nanos("1m30s"), Some(90_000_000_000));
        assert_eq!(nanos("500ms"), Some(500_000_000));
        assert_eq!(nanos("5"), None);
        assert_eq!(nanos("5 parsecs"), None);
    }
}
