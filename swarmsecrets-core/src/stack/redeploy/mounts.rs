//! Volumes of a service as mounts.

use serde_json::{Value, json};

use super::super::tree::Node;
use super::answer::CannotTell;
use super::field::Field;
use super::names::Declared;

type Told<T> = Result<T, CannotTell>;

/// `volumes`, short or long.
pub(super) fn mounts(field: &Field<'_>, declared: &Declared<'_>) -> Told<Value> {
    let mount = |item: &Field<'_>| match item.node() {
        Node::Map(_) => long(item, declared),
        _ => short(item, declared),
    };
    field.items()?.iter().map(mount).collect::<Told<Vec<Value>>>().map(Value::from)
}

/// `target`, `source:target`, `source:target:options`.
fn short(item: &Field<'_>, declared: &Declared<'_>) -> Told<Value> {
    const PROPAGATIONS: [&str; 6] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];
    let parts: Vec<&str> = item.text()?.split(':').collect();
    let (source, target, options) = match parts[..] {
        [target] => ("", target, ""),
        [source, target] => (source, target, ""),
        [source, target, options] => (source, target, options),
        _ => return item.cannot("it is not `source:target:options`"),
    };
    let drive = |text: &str| text.len() < 2 || text.contains('\\');
    if target.is_empty() || drive(target) || (parts.len() > 1 && drive(source)) {
        return item.cannot("a part of it is not understood");
    }
    let mut mount = json!({"Target": target, "Source": source});
    let (mut nocopy, mut propagation) = (false, None);
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => mount["ReadOnly"] = json!(true),
            "rw" => mount["ReadOnly"] = json!(false),
            "nocopy" => nocopy = true,
            option if PROPAGATIONS.contains(&option) => propagation = Some(option),
            _ => return item.cannot("an option of it is not understood"),
        }
    }
    let bind = source.starts_with(['.', '/', '~']);
    if (bind && nocopy) || (!bind && propagation.is_some()) {
        return item.cannot("an option does not go with its type");
    }
    if let Some(propagation) = propagation {
        mount["BindOptions"] = json!({"Propagation": propagation});
    }
    if bind { bound(item, mount) } else { volume(item, declared, mount, nocopy) }
}

fn long(item: &Field<'_>, declared: &Declared<'_>) -> Told<Value> {
    let mut mount = json!({"Source": ""});
    let (mut kind, mut nocopy) = ("volume", false);
    for part in item.entries()? {
        match part.key() {
            "type" => kind = part.text()?,
            "source" => mount["Source"] = json!(part.text()?),
            "target" => mount["Target"] = json!(part.text()?),
            "read_only" => mount["ReadOnly"] = json!(part.flag()?),
            "consistency" => mount["Consistency"] = json!(part.text()?),
            "bind" | "volume" | "tmpfs" => {
                for option in part.entries()? {
                    match (part.key(), option.key()) {
                        ("bind", "propagation") => mount["BindOptions"]["Propagation"] = json!(option.text()?),
                        ("volume", "nocopy") => nocopy = option.flag()?,
                        ("tmpfs", "size") => mount["TmpfsOptions"]["SizeBytes"] = json!(option.int()?),
                        _ => return option.unknown(),
                    }
                }
            }
            _ => return part.unknown(),
        }
    }
    match kind {
        "volume" => volume(item, declared, mount, nocopy),
        "bind" => bound(item, mount),
        "tmpfs" => {
            mount["Type"] = json!("tmpfs");
            Ok(mount)
        }
        _ => item.get("type").cannot("this type is not understood"),
    }
}

fn bound(item: &Field<'_>, mut mount: Value) -> Told<Value> {
    if !mount["Source"].as_str().is_some_and(|source| source.starts_with('/')) {
        return item.cannot("its source depends on the folder that the stack is deployed from");
    }
    mount["Type"] = json!("bind");
    Ok(mount)
}

fn volume(item: &Field<'_>, declared: &Declared<'_>, mut mount: Value, nocopy: bool) -> Told<Value> {
    mount["Type"] = json!("volume");
    let source = mount["Source"].as_str().unwrap_or_default().to_owned();
    if source.is_empty() {
        return Ok(mount);
    }
    let Some(volume) = declared.volumes.get(&source) else { return item.cannot("its volume is not declared") };
    mount["Source"] = json!(volume.name);
    mount["VolumeOptions"] = volume.options.clone();
    mount["VolumeOptions"]["NoCopy"] = json!(nocopy);
    Ok(mount)
}
