//! A service of a compose file as the spec that `docker stack deploy` makes of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::text::Variables;
use super::super::tree::Node;
use super::answer::CannotTell;
use super::field::Field;
use super::names::Declared;
use super::quantities::nanos;
use super::words::words;
use super::{mounts, policies, ports, resources};

type Told<T> = Result<T, CannotTell>;

/// What docker passes over when it deploys a stack.
const IGNORED: [&str; 18] = [
    "build",
    "cgroup_parent",
    "cgroupns_mode",
    "container_name",
    "depends_on",
    "devices",
    "domainname",
    "expose",
    "external_links",
    "ipc",
    "links",
    "mac_address",
    "network_mode",
    "pid",
    "privileged",
    "security_opt",
    "shm_size",
    "userns_mode",
];

/// The spec of one service.
///
/// # Errors
/// [`CannotTell`] for what is not understood.
pub(super) fn spec(declared: &Declared<'_>, variables: &Variables, name: &str, service: &Field<'_>) -> Told<Value> {
    let image = service.get("image").text()?;
    let mut spec = json!({
        "Name": format!("{}_{name}", declared.stack),
        "Labels": {},
        "TaskTemplate": {
            "ContainerSpec": {"Image": image, "Labels": declared.labelled(service.get("labels").labels()?)},
            "Networks": networks(declared, name, &service.get("networks"))?,
        },
        "EndpointSpec": {"Ports": ports::ports(&service.get("ports"))?},
    });
    deploy(&mut spec, &service.get("deploy"))?;
    let mut labels = service.get("deploy").get("labels").labels()?;
    labels.insert("com.docker.stack.image".to_owned(), image.to_owned());
    spec["Labels"] = declared.labelled(labels);
    let template = &mut spec["TaskTemplate"];
    if service.get("deploy").get("restart_policy").is_null() {
        template["RestartPolicy"] = policies::legacy_restart(&service.get("restart"))?;
    }
    for field in service.entries()? {
        match field.key() {
            "image" | "labels" | "networks" | "ports" | "deploy" | "restart" => {}
            "logging" => template["LogDriver"] = logging(&field)?,
            key if IGNORED.contains(&key) || key.starts_with("x-") => {}
            _ => container(&mut template["ContainerSpec"], declared, variables, &field)?,
        }
    }
    Ok(spec)
}

/// What stands under `deploy`.
fn deploy(spec: &mut Value, deploy: &Field<'_>) -> Told<()> {
    spec["Mode"] = policies::mode(&deploy.get("mode"), &deploy.get("replicas"))?;
    for field in deploy.entries()? {
        match field.key() {
            "mode" | "replicas" | "labels" => {}
            "endpoint_mode" => spec["EndpointSpec"]["Mode"] = json!(field.text()?.to_ascii_lowercase()),
            "update_config" => spec["UpdateConfig"] = policies::update(&field)?,
            "rollback_config" => spec["RollbackConfig"] = policies::update(&field)?,
            "restart_policy" => spec["TaskTemplate"]["RestartPolicy"] = policies::restart(&field)?,
            "resources" => spec["TaskTemplate"]["Resources"] = resources::resources(&field)?,
            "placement" => spec["TaskTemplate"]["Placement"] = resources::placement(&field)?,
            _ => return field.unknown(),
        }
    }
    Ok(())
}

/// One key that ends up in the container's spec.
fn container(spec: &mut Value, declared: &Declared<'_>, variables: &Variables, field: &Field<'_>) -> Told<()> {
    let (key, value) = match field.key() {
        "command" => ("Args", json!(words(field)?)),
        "entrypoint" => ("Command", json!(words(field)?)),
        "environment" => ("Env", json!(environment(field, variables)?)),
        "secrets" => ("Secrets", references(field, &declared.secrets, "SecretName")?),
        "configs" => ("Configs", references(field, &declared.configs, "ConfigName")?),
        "volumes" => ("Mounts", mounts::mounts(field, declared)?),
        "healthcheck" => ("Healthcheck", policies::health(field)?),
        "hostname" => ("Hostname", json!(field.text()?)),
        "working_dir" => ("Dir", json!(field.text()?)),
        "user" => ("User", json!(field.text()?)),
        "stop_signal" => ("StopSignal", json!(field.text()?)),
        "stop_grace_period" => ("StopGracePeriod", json!(nanos(field)?)),
        "isolation" => ("Isolation", json!(field.text()?)),
        "tty" => ("TTY", json!(field.flag()?)),
        "stdin_open" => ("OpenStdin", json!(field.flag()?)),
        "read_only" => ("ReadOnly", json!(field.flag()?)),
        "init" => ("Init", json!(field.flag()?)),
        "extra_hosts" => ("Hosts", json!(hosts(field)?)),
        "sysctls" => ("Sysctls", json!(field.labels()?)),
        "ulimits" => ("Ulimits", resources::ulimits(field)?),
        "cap_add" => ("CapabilityAdd", json!(resources::capabilities(field)?)),
        "cap_drop" => ("CapabilityDrop", json!(resources::capabilities(field)?)),
        "dns" => return dns(spec, "Nameservers", field),
        "dns_search" => return dns(spec, "Search", field),
        _ => return field.unknown(),
    };
    spec[key] = value;
    Ok(())
}

fn dns(spec: &mut Value, key: &str, field: &Field<'_>) -> Told<()> {
    spec["DNSConfig"][key] = json!(field.texts()?);
    Ok(())
}

/// Variables of the container. One without a value, or with an empty one, takes that of the stack's variable.
fn environment(field: &Field<'_>, variables: &Variables) -> Told<Vec<String>> {
    let pairs = field.pairs()?.into_iter().map(|(name, value)| {
        let own = value.filter(|value| !value.is_empty() || variables.get(&name).is_none());
        match own.as_deref().or_else(|| variables.get(&name)) {
            Some(value) => format!("{name}={value}"),
            None => name,
        }
    });
    Ok(pairs.collect())
}

/// `host:address` as the Engine has it: `address host`.
fn hosts(field: &Field<'_>) -> Told<Vec<String>> {
    let mut hosts: Vec<String> = Vec::new();
    let map = matches!(field.node(), Node::Map(_));
    if map {
        for (host, address) in field.labels()? {
            hosts.push(format!("{host}:{address}"));
        }
    } else {
        hosts.extend(field.texts()?.into_iter().map(str::to_owned));
    }
    let split = |pair: &String| match pair.split_once(':') {
        Some((host, address)) if !pair.contains('=') => Ok(format!("{address} {host}")),
        _ => field.cannot("it is not a list of `host:address`"),
    };
    hosts.iter().map(split).collect()
}

fn networks(declared: &Declared<'_>, service: &str, field: &Field<'_>) -> Told<Value> {
    let mut attached = Vec::new();
    if let Node::List(_) = field.node() {
        for item in field.items()? {
            attached.push((item.text()?.to_owned(), Vec::new(), BTreeMap::new()));
        }
    } else {
        for entry in field.entries()? {
            let (mut aliases, mut options) = (Vec::new(), BTreeMap::new());
            for part in entry.entries()? {
                match part.key() {
                    "aliases" => aliases = part.texts()?.into_iter().map(str::to_owned).collect(),
                    "driver_opts" => options = part.labels()?,
                    _ => return part.unknown(),
                }
            }
            attached.push((entry.key().to_owned(), aliases, options));
        }
    }
    if attached.is_empty() {
        attached.push(("default".to_owned(), Vec::new(), BTreeMap::new()));
    }
    let attached = attached.into_iter().map(|(key, mut aliases, options)| {
        let Some(target) = declared.networks.get(&key) else { return field.cannot("a network is not declared") };
        if !matches!(target.as_str(), "bridge" | "host" | "none" | "default") {
            aliases.push(service.to_owned());
        }
        Ok(json!({"Target": target, "Aliases": aliases, "DriverOpts": options}))
    });
    attached.collect::<Told<Vec<Value>>>().map(Value::from)
}

/// The secrets or configs of a service: short or long.
fn references(field: &Field<'_>, declared: &BTreeMap<String, String>, name_key: &str) -> Told<Value> {
    let reference = |item: &Field<'_>| {
        let short = matches!(item.node(), Node::Text(_));
        let source = if short { item.text()? } else { item.get("source").text()? };
        let Some(name) = declared.get(source) else { return item.cannot("it is not declared") };
        let (mut target, mut uid, mut gid, mut mode) = (source, "0", "0", 0o444);
        for part in if short { Vec::new() } else { item.entries()? } {
            match part.key() {
                "source" => {}
                "target" => target = part.text()?,
                "uid" => uid = part.text()?,
                "gid" => gid = part.text()?,
                "mode" => mode = part.int()?,
                _ => return part.unknown(),
            }
        }
        let or = |text, default| if str::is_empty(text) { default } else { text };
        let file = json!({"Name": or(target, source), "UID": or(uid, "0"), "GID": or(gid, "0"), "Mode": mode});
        Ok(json!({ name_key: name, "File": file }))
    };
    field.items()?.iter().map(reference).collect::<Told<Vec<Value>>>().map(Value::from)
}

fn logging(field: &Field<'_>) -> Told<Value> {
    let mut driver = json!({});
    for part in field.entries()? {
        match part.key() {
            "driver" => driver["Name"] = json!(part.text()?),
            "options" => driver["Options"] = json!(part.labels()?),
            _ => return part.unknown(),
        }
    }
    Ok(driver)
}
