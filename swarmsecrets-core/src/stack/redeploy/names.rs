//! What the file declares beside its services, and the names that Swarm knows it by.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::tree::Node;
use super::answer::CannotTell;
use super::field::Field;

const NAMESPACE: &str = "com.docker.stack.namespace";

/// The networks, volumes, secrets and configs of a stack.
pub(super) struct Declared<'a> {
    pub(super) stack: &'a str,
    pub(super) networks: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) configs: BTreeMap<String, String>,
    pub(super) volumes: BTreeMap<String, Volume>,
}

/// A named volume as a mount has it.
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) options: Value,
}

impl<'a> Declared<'a> {
    pub(super) fn read(stack: &'a str, tree: &Node) -> Result<Self, CannotTell> {
        for (key, node) in tree.entries() {
            match key.as_str() {
                "services" | "networks" | "volumes" | "secrets" | "configs" => {}
                "version" if matches!(node, Node::Text(version) if version.starts_with('3')) => {}
                extra if extra.starts_with("x-") => {}
                _ => return Field::section(tree, key).unknown(),
            }
        }
        let names = |section: &str| -> Result<BTreeMap<String, String>, CannotTell> {
            let entries = Field::section(tree, section).entries()?;
            entries.iter().map(|entry| Ok((entry.key().to_owned(), name(stack, entry)?.0))).collect()
        };
        let mut networks = names("networks")?;
        networks.entry("default".to_owned()).or_insert_with(|| format!("{stack}_default"));
        let volumes = Field::section(tree, "volumes").entries()?;
        let volumes = volumes.iter().map(|entry| Ok((entry.key().to_owned(), volume(stack, entry)?)));
        Ok(Self {
            stack,
            networks,
            secrets: names("secrets")?,
            configs: names("configs")?,
            volumes: volumes.collect::<Result<_, CannotTell>>()?,
        })
    }

    /// Labels with the one that makes a thing part of the stack.
    pub(super) fn labelled(&self, labels: BTreeMap<String, String>) -> Value {
        labelled(self.stack, labels)
    }
}

fn labelled(stack: &str, labels: BTreeMap<String, String>) -> Value {
    let mut all: Map<String, Value> = labels.into_iter().map(|(key, value)| (key, json!(value))).collect();
    all.insert(NAMESPACE.to_owned(), json!(stack));
    Value::Object(all)
}

/// The name of what is declared, and whether it is external.
fn name(stack: &str, entry: &Field<'_>) -> Result<(String, bool), CannotTell> {
    // A null entry has no keys.
    entry.entries()?;
    let (field, own) = (entry.get("external"), entry.get("name").text_if_any()?.filter(|name| !name.is_empty()));
    let (external, named) = match field.node() {
        Node::Null => (false, None),
        Node::Map(_) => (true, field.get("name").text_if_any()?),
        _ => (field.flag()?, None),
    };
    if named.is_some() && own.is_some() {
        return field.cannot("it has two names");
    }
    let name = own.or(named).map_or_else(
        || if external { entry.key().to_owned() } else { format!("{stack}_{}", entry.key()) },
        str::to_owned,
    );
    Ok((name, external))
}

fn volume(stack: &str, entry: &Field<'_>) -> Result<Volume, CannotTell> {
    let (name, external) = name(stack, entry)?;
    if external {
        return Ok(Volume { name, options: json!({}) });
    }
    let mut options = json!({"Labels": labelled(stack, entry.get("labels").labels()?)});
    for field in entry.entries()? {
        match field.key() {
            "name" | "external" | "labels" => {}
            "driver" => options["DriverConfig"]["Name"] = json!(field.text_if_any()?),
            "driver_opts" => options["DriverConfig"]["Options"] = json!(field.labels()?),
            extra if extra.starts_with("x-") => {}
            _ => return field.unknown(),
        }
    }
    Ok(Volume { name, options })
}
