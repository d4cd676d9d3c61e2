//! Published ports.

use serde_json::{Value, json};

use super::super::tree::Node;
use super::answer::CannotTell;
use super::field::Field;

type Told<T> = Result<T, CannotTell>;

/// `ports`, short or long.
pub(super) fn ports(field: &Field<'_>) -> Told<Value> {
    field.items()?.iter().map(port).collect::<Told<Vec<Value>>>().map(Value::from)
}

fn port(item: &Field<'_>) -> Told<Value> {
    match item.node() {
        Node::Map(_) => long(item),
        Node::Int(_) => short(item, &item.int()?.to_string()),
        _ => short(item, item.text()?),
    }
}

fn long(item: &Field<'_>) -> Told<Value> {
    let mut port = json!({});
    for part in item.entries()? {
        match part.key() {
            "target" => port["TargetPort"] = json!(part.int()?),
            "published" => port["PublishedPort"] = json!(part.int()?),
            "protocol" => port["Protocol"] = json!(part.text()?),
            "mode" => port["PublishMode"] = json!(part.text()?),
            _ => return part.unknown(),
        }
    }
    Ok(port)
}

/// `80`, `8080:80`, `8080:80/udp`. Ranges and addresses are left to others.
fn short(item: &Field<'_>, text: &str) -> Told<Value> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (published, target) =
        ports.split_once(':').map_or((None, ports), |(published, target)| (Some(published), target));
    let number = |text: &str| text.parse::<u16>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let published = published.map(number);
    match (number(target), published, protocol) {
        (Some(target), None | Some(Some(_)), "tcp" | "udp" | "sctp") => {
            let published = published.flatten().unwrap_or(0);
            Ok(
                json!({"TargetPort": target, "PublishedPort": published, "Protocol": protocol, "PublishMode": "ingress"}),
            )
        }
        _ => item.cannot("it is not `published:target`, each one number"),
    }
}
