//! The `filters` of lists.

use std::collections::BTreeMap;

use serde_json::Value;

use super::answer::{Refused, parameter};
use crate::engine::EngineRequest;

/// The filters of a request, by key.
#[derive(Debug, Default)]
pub(crate) struct Filters(BTreeMap<String, Vec<String>>);

impl Filters {
    /// Reads them. Only keys in `known` may stand there.
    pub(crate) fn of(request: &EngineRequest, known: &[&str]) -> Result<Self, Refused> {
        let Some(text) = parameter(request, "filters").filter(|text| !text.is_empty()) else {
            return Ok(Self::default());
        };
        let bad = || Refused::new(400, "invalid filter");
        let value: BTreeMap<String, Value> = serde_json::from_str(text).map_err(|_| bad())?;
        let mut filters = BTreeMap::new();
        for (key, values) in value {
            if !known.contains(&key.as_str()) {
                return Err(Refused::new(400, format!("Invalid filter '{key}'")));
            }
            let values: Vec<String> = match values {
                Value::Array(list) => list.into_iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
                // The older form: {"name": {"x": true}}.
                Value::Object(map) => {
                    map.into_iter().filter(|(_, on)| *on == Value::Bool(true)).map(|(k, _)| k).collect()
                }
                _ => return Err(bad()),
            };
            filters.insert(key, values);
        }
        Ok(Self(filters))
    }

    /// The values of a key; none if it was not given.
    pub(crate) fn get(&self, key: &str) -> &[String] {
        self.0.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether one of the values of `key` satisfies `test`, or there are none.
    pub(crate) fn any(&self, key: &str, test: impl Fn(&str) -> bool) -> bool {
        let values = self.get(key);
        values.is_empty() || values.iter().any(|value| test(value))
    }

    /// Whether every `label` filter holds: `key` or `key=value`.
    pub(crate) fn labels(&self, labels: &Value) -> bool {
        self.get("label").iter().all(|wanted| match wanted.split_once('=') {
            Some((key, value)) => labels[key] == value,
            None => labels.get(wanted).is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filters(text: &str) -> Result<Filters, Refused> {
        let request = EngineRequest {
            method: "GET".into(),
            path: "/x".into(),
            query: vec![("filters".into(), text.into())],
            body: vec![],
        };
        Filters::of(&request, &["name", "label"])
    }

    #[test]
    fn both_forms_are_read_and_unknown_keys_refused() {
        assert_eq!(filters(r#"{"name": ["a", "b"]}"#).unwrap().get("name"), ["a", "b"]);
        assert_eq!(filters(r#"{"name": {"a": true, "b": false}}"#).unwrap().get("name"), ["a"]);
        assert_eq!(filters(r#"{"moon": ["x"]}"#).unwrap_err(), Refused::new(400, "Invalid filter 'moon'"));
        assert_eq!(filters("[").unwrap_err().status, 400);
    }

    #[test]
    fn all_labels_must_hold() {
        let both = filters(r#"{"label": ["tier", "env=prod"]}"#).unwrap();
        assert!(both.labels(&json!({"tier": "x", "env": "prod"})));
        assert!(!both.labels(&json!({"tier": "x", "env": "test"})));
        assert!(!both.labels(&Value::Null));
    }
}
