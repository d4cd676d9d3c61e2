//! A service's spec, taken apart into facts that can be compared: one for each thing that a person could have changed.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::answer::{CannotTell, Difference, Shown};
use super::live::Live;
use crate::ids::SecretName;
use crate::model::SecretReference;

const SECOND: u64 = 1_000_000_000;

/// What the Engine does where an update's policy says nothing.
const UPDATE: [(&str, &str); 6] = [
    ("Delay", "0"),
    ("FailureAction", "pause"),
    ("MaxFailureRatio", "0"),
    ("Monitor", "5000000000"),
    ("Order", "stop-first"),
    ("Parallelism", "1"),
];

/// What the Engine does where a restart policy says nothing.
const RESTART: [(&str, &str); 4] =
    [("Condition", "any"), ("Delay", "5000000000"), ("MaxAttempts", "0"), ("Window", "0")];

/// The pairs of names that are about to change places.
#[derive(Clone, Copy)]
pub(super) struct Renamed<'a>(&'a [(SecretName, SecretName)]);

impl<'a> Renamed<'a> {
    pub(super) fn new(names: &'a [(SecretName, SecretName)]) -> Self {
        Self(names)
    }

    /// One name for both of a pair.
    fn name<'n>(&self, name: &'n str) -> &'n str
    where
        'a: 'n,
    {
        let pair = self.0.iter().find(|(from, to)| from.as_str() == name || to.as_str() == name);
        pair.map_or(name, |(_, to)| to.as_str())
    }
}

impl Renamed<'_> {
    /// Leaves out the old versions that a rotation has mounted beside new ones, for as long as commands need both.
    fn take_ours(self, references: &mut Vec<Value>) {
        let at = |r: &Value| {
            let text = |pointer: &str| r.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("/File/Name"), text("/SecretName"))
        };
        let all: Vec<(String, String)> = references.iter().map(at).collect();
        references.retain(|reference| {
            let (place, name) = at(reference);
            let besides = |(target, new): &(String, String)| {
                place == SecretReference::beside(target)
                    && self.0.iter().any(|(from, to)| from.as_str() == name && to.as_str() == new)
            };
            !all.iter().any(besides)
        });
    }
}

/// What a spec says.
pub(super) struct Facts {
    facts: BTreeMap<String, Fact>,
}

#[derive(PartialEq)]
struct Fact {
    value: String,
    shown: bool,
}

impl Facts {
    /// Of a spec that was made from the file: its networks have names.
    pub(super) fn of_stored(spec: &Value, renamed: Renamed<'_>) -> Result<Self, CannotTell> {
        Self::of(spec, renamed, |name| Some(name.to_owned()))
    }

    /// Of a live spec: its networks have ids.
    pub(super) fn of_live(spec: &Value, live: &Live, renamed: Renamed<'_>) -> Result<Self, CannotTell> {
        let mut spec = spec.clone();
        if let Some(references) = spec.pointer_mut("/TaskTemplate/ContainerSpec/Secrets").and_then(Value::as_array_mut)
        {
            renamed.take_ours(references);
        }
        Self::of(&spec, renamed, |id| live.network(id).map(str::to_owned))
    }

    /// What differs between the file's facts and a live service's.
    pub(super) fn differences(&self, service: &str, live: &Self) -> Vec<Difference> {
        let fields = self.facts.keys().chain(live.facts.keys().filter(|key| !self.facts.contains_key(*key)));
        // A digest that docker looked up for the live service is no change.
        let looked_up = |field: &str| field == DIGEST && !self.facts.contains_key(DIGEST);
        let differing = fields.filter(|f| self.facts.get(*f) != live.facts.get(*f) && !looked_up(f));
        let shown = |facts: &Self, field: &str| facts.facts.get(field).map_or(Shown::Absent, Fact::shown);
        let difference = |field: &String| Difference {
            service: service.to_owned(),
            field: field.clone(),
            stored: shown(self, field),
            live: shown(live, field),
        };
        differing.map(difference).collect()
    }

    fn of(spec: &Value, renamed: Renamed<'_>, network: impl Fn(&str) -> Option<String>) -> Result<Self, CannotTell> {
        let mut spec = spec.clone();
        let mut all = Self { facts: BTreeMap::new() };
        // The name is what the services were matched by.
        take(&mut spec, &["Name"]);
        // A deployment keeps this counter; all containers are of this kind; the Engine's word for nothing.
        take(&mut spec, &["TaskTemplate", "ForceUpdate"]);
        drop_if(&mut spec, &["TaskTemplate", "Runtime"], "container");
        drop_if(&mut spec, &["TaskTemplate", "ContainerSpec", "Isolation"], "default");
        // Docker notes the platforms of an image when it looks its digest up. Nobody sets them by hand.
        take(&mut spec, &["TaskTemplate", "Placement", "Platforms"]);
        all.image(&take(&mut spec, &["TaskTemplate", "ContainerSpec", "Image"]));
        all.mode(take(&mut spec, &["Mode"]));
        all.endpoint(take(&mut spec, &["EndpointSpec"]));
        all.policy("update", take(&mut spec, &["UpdateConfig"]), &UPDATE);
        all.policy("rollback", take(&mut spec, &["RollbackConfig"]), &UPDATE);
        all.policy("restart", take(&mut spec, &["TaskTemplate", "RestartPolicy"]), &RESTART);
        all.labels("label", take(&mut spec, &["Labels"]));
        let container = spec.pointer_mut("/TaskTemplate/ContainerSpec");
        if let Some(container) = container {
            all.container(container, renamed);
        }
        for attached in list(take(&mut spec, &["TaskTemplate", "Networks"])) {
            all.network(attached, &network)?;
        }
        all.rest("", spec, shown_by_default);
        Ok(all)
    }

    fn container(&mut self, container: &mut Value, renamed: Renamed<'_>) {
        self.labels("container label", take(container, &["Labels"]));
        for (path, field) in
            [(&["Args"][..], "command"), (&["Command"], "entrypoint"), (&["Healthcheck", "Test"], "health check")]
        {
            let words = take(container, path);
            if words.as_array().is_some_and(|words| !words.is_empty()) {
                self.put(field, words.to_string(), false);
            }
        }
        for variable in list(take(container, &["Env"])) {
            let text = variable.as_str().unwrap_or_default();
            let (name, value) = text.split_at(text.find('=').unwrap_or(text.len()));
            self.put(&format!("environment variable {name}"), value.to_owned(), false);
        }
        for (key, what) in [("Secrets", "secret"), ("Configs", "config")] {
            for reference in list(take(container, &[key])) {
                self.reference(what, reference, renamed);
            }
        }
        for mount in list(take(container, &["Mounts"])) {
            self.mount(mount);
        }
        let grace = take(container, &["StopGracePeriod"]).as_u64().unwrap_or(10 * SECOND);
        self.put("stop grace period", format!("{grace} ns"), true);
        // Whether there is an init process differs from nothing being said of it.
        if let Value::Bool(init) = take(container, &["Init"]) {
            self.put("init", init.to_string(), true);
        }
    }

    fn image(&mut self, image: &Value) {
        let image = image.as_str().unwrap_or_default();
        let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
        let familiar =
            name.strip_prefix("docker.io/").or_else(|| name.strip_prefix("index.docker.io/")).unwrap_or(name);
        let familiar = familiar.strip_prefix("library/").unwrap_or(familiar);
        let tagged = familiar.rsplit('/').next().is_some_and(|last| last.contains(':'));
        let name = if tagged { familiar.to_owned() } else { format!("{familiar}:latest") };
        self.put("image", name, true);
        if let Some(digest) = digest {
            self.put(DIGEST, digest.to_owned(), true);
        }
    }

    fn mode(&mut self, mode: Value) {
        let kind = mode.as_object().and_then(|modes| modes.keys().next()).cloned().unwrap_or("Replicated".into());
        self.put("mode", kind.to_ascii_lowercase(), true);
        if kind == "Replicated" {
            let replicas = mode.pointer("/Replicated/Replicas").and_then(Value::as_u64).unwrap_or(1);
            self.put("replicas", replicas.to_string(), true);
        } else {
            self.rest("Mode", mode, |_| true);
        }
    }

    fn endpoint(&mut self, mut endpoint: Value) {
        let mode = take(&mut endpoint, &["Mode"]);
        self.put("endpoint mode", mode.as_str().filter(|mode| !mode.is_empty()).unwrap_or("vip").to_owned(), true);
        for mut port in list(take(&mut endpoint, &["Ports"])) {
            let mut part = |key: &str, default: &str| {
                let text = plain(&take(&mut port, &[key]));
                if text.is_empty() || text == "0" { default.to_owned() } else { text }
            };
            let (published, target) = (part("PublishedPort", "any port"), part("TargetPort", "none"));
            let (protocol, mode) = (part("Protocol", "tcp"), part("PublishMode", "ingress"));
            let field = format!("port {published} to {target}/{protocol} ({mode})");
            self.put(&field, "published".into(), true);
            self.rest(&field, port, |_| false);
        }
        self.rest("EndpointSpec", endpoint, |_| false);
    }

    fn policy(&mut self, what: &str, mut policy: Value, defaults: &[(&str, &str)]) {
        for (key, default) in defaults {
            let value = plain(&take(&mut policy, &[key]));
            let value = if value.is_empty() { (*default).to_owned() } else { value };
            self.put(&format!("{what} policy: {key}"), value, true);
        }
        self.rest(&format!("{what} policy"), policy, |_| false);
    }

    fn labels(&mut self, what: &str, labels: Value) {
        for (key, value) in object(labels) {
            self.put(&format!("{what} {key}"), plain(&value), false);
        }
    }

    fn reference(&mut self, what: &str, mut reference: Value, renamed: Renamed<'_>) {
        let mut file = take(&mut reference, &["File"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let target = text(&take(&mut file, &["Name"]));
        let field = format!("{what} {}", if what == "config" { target.trim_start_matches('/') } else { &target });
        let (id, name) = if what == "config" { ("ConfigID", "ConfigName") } else { ("SecretID", "SecretName") };
        take(&mut reference, &[id]);
        let name = text(&take(&mut reference, &[name]));
        let name = if what == "secret" { renamed.name(&name) } else { &name };
        let (uid, gid) = (text(&take(&mut file, &["UID"])), text(&take(&mut file, &["GID"])));
        let mode = take(&mut file, &["Mode"]).as_u64().unwrap_or_default();
        self.put(&field, format!("{name} for {uid}:{gid} with mode {mode:04o}"), true);
        self.rest(&field, reference, |_| false);
        self.rest(&format!("{field} file"), file, |_| false);
    }

    fn mount(&mut self, mut mount: Value) {
        let target = plain(&take(&mut mount, &["Target"]));
        drop_if(&mut mount, &["BindOptions", "Propagation"], "rprivate");
        drop_if(&mut mount, &["Consistency"], "default");
        self.rest(&format!("mount {target}"), mount, |field| {
            !field.contains("DriverConfig") && !field.contains("Labels")
        });
    }

    fn network(&mut self, mut attached: Value, network: impl Fn(&str) -> Option<String>) -> Result<(), CannotTell> {
        let target = plain(&take(&mut attached, &["Target"]));
        let Some(name) = network(&target) else {
            return Err(CannotTell::new("networks", "a live service is in a network that this account does not see"));
        };
        let field = format!("network {name}");
        let mut aliases: Vec<String> = list(take(&mut attached, &["Aliases"])).iter().map(plain).collect();
        aliases.sort();
        aliases.dedup();
        self.put(&field, format!("as {}", aliases.join(", ")), true);
        self.rest(&field, attached, |_| false);
        Ok(())
    }

    /// Whatever is left, by its path. Nothing, zero, false and empty things say nothing.
    fn rest(&mut self, path: &str, value: Value, shown: fn(&str) -> bool) {
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match value {
            Value::Object(entries) => {
                entries.into_iter().for_each(|(key, value)| self.rest(&below(&key), value, shown))
            }
            Value::Array(items) => {
                items.into_iter().enumerate().for_each(|(n, item)| self.rest(&below(&n.to_string()), item, shown));
            }
            Value::Null | Value::Bool(false) => {}
            value => {
                let text = plain(&value);
                if !text.is_empty() && text != "0" {
                    self.put(path, text, shown(path));
                }
            }
        }
    }

    /// Of a field that stands twice, as no deployment writes it, both count.
    fn put(&mut self, field: &str, value: String, shown: bool) {
        let mut field = field.to_owned();
        while self.facts.contains_key(&field) {
            field.push_str(" (again)");
        }
        self.facts.insert(field, Fact { value, shown });
    }
}

/// The field of an image's digest.
const DIGEST: &str = "image digest";

impl Fact {
    fn shown(&self) -> Shown {
        if self.shown { Shown::Value(self.value.clone()) } else { Shown::Hidden }
    }
}

/// Parts of a spec that hold no credentials, where they are not taken apart by name.
fn shown_by_default(path: &str) -> bool {
    const SHOWN: [&str; 4] = [
        "TaskTemplate.Resources",
        "TaskTemplate.Placement",
        "TaskTemplate.LogDriver.Name",
        "TaskTemplate.ContainerSpec.",
    ];
    let of_container = ["User", "Dir", "Hostname", "Hosts", "StopSignal", "ReadOnly", "TTY", "OpenStdin", "DNSConfig"];
    let begins = |prefix: &&str| path.starts_with(prefix);
    let known = path.strip_prefix(SHOWN[3]).is_some_and(|rest| {
        of_container.iter().chain(&["Healthcheck", "Ulimits", "Capability"]).any(|key| rest.starts_with(key))
    });
    SHOWN[..3].iter().any(begins) || known
}

/// Takes the value at a path out; null if there is none.
fn take(value: &mut Value, path: &[&str]) -> Value {
    let Some((last, before)) = path.split_last() else { return Value::Null };
    let parent = before.iter().try_fold(value, |value, key| value.get_mut(*key));
    parent.and_then(Value::as_object_mut).and_then(|parent| parent.remove(*last)).unwrap_or_default()
}

/// Takes the value at a path out if it is this text.
fn drop_if(value: &mut Value, path: &[&str], text: &str) {
    let pointer = format!("/{}", path.join("/"));
    if value.pointer(&pointer).and_then(Value::as_str) == Some(text) {
        take(value, path);
    }
}

/// The items of a list. What should be one and is not counts as an item.
fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        other => vec![other],
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(entries) => entries,
        _ => Map::new(),
    }
}

/// A scalar as text; whole numbers the same however they are written.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |float| float.to_string()),
        other => other.to_string(),
    }
}
