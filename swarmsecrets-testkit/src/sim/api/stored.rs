//! What secrets and configs have in common.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::answer::{Answer, Refused, ok};
use super::filters::Filters;
use crate::engine::EngineRequest;
use crate::sim::service::Stored;
use crate::sim::spec::Reference;
use crate::sim::world::World;

const BAD_NAME: &str =
    "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]";

/// Finds an object by id, by name, or by the beginning of its id.
pub(crate) fn find<'a>(objects: &'a BTreeMap<String, Stored>, what: &str, wanted: &str) -> Result<&'a Stored, Refused> {
    if let Some(object) = objects.get(wanted) {
        return Ok(object);
    }
    if let Some(object) = objects.values().find(|object| object.name() == wanted) {
        return Ok(object);
    }
    let mut like = objects.values().filter(|object| object.id.starts_with(wanted));
    match (like.next(), like.count()) {
        (None, _) => Err(Refused::new(404, format!("{what} {wanted} not found"))),
        (Some(object), 0) => Ok(object),
        (Some(_), more) => Err(Refused::new(400, format!("{what} {wanted} is ambiguous ({} matches found)", more + 1))),
    }
}

/// A list of objects, filtered by the request.
pub(crate) fn list(objects: &BTreeMap<String, Stored>, request: &EngineRequest) -> Answer {
    let filters = Filters::of(request, &["id", "name", "names", "label"])?;
    let list: Vec<Value> = objects
        .values()
        .filter(|object| filters.any("id", |id| object.id.starts_with(id)))
        .filter(|object| filters.any("name", |name| object.name().starts_with(name)))
        .filter(|object| filters.any("names", |name| object.name() == name))
        .filter(|object| filters.labels(&object.spec["Labels"]))
        .map(Stored::to_json)
        .collect();
    ok(&list)
}

/// Refuses a name that Swarm does not take.
pub(crate) fn check_name(name: &str) -> Result<(), Refused> {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let bytes = name.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    let good = bytes.len() <= 64
        && bytes.iter().all(|b| inside(*b))
        && ends.iter().all(|b| b.is_some_and(u8::is_ascii_alphanumeric));
    if good { Ok(()) } else { Err(Refused::invalid(BAD_NAME)) }
}

/// Reads standard base64 as Go does, with Go's words for what is wrong.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Refused> {
    STANDARD.decode(text).map_err(|error| {
        let at = match error {
            base64::DecodeError::InvalidByte(at, _) => at,
            base64::DecodeError::InvalidLastSymbol { offset, .. } => offset,
            _ => text.len(),
        };
        Refused::new(400, format!("illegal base64 data at input byte {at}"))
    })
}

/// Refuses to delete what the present specs of services refer to.
pub(crate) fn refuse_if_used(
    world: &World,
    what: &str,
    object: &Stored,
    references: impl Fn(&Value) -> Vec<Reference>,
) -> Result<(), Refused> {
    let users: Vec<&str> = world
        .services
        .values()
        .filter(|service| references(&service.current.spec["TaskTemplate"]).iter().any(|one| one.id == object.id))
        .map(|service| service.name())
        .collect();
    if users.is_empty() {
        return Ok(());
    }
    let services = if users.len() == 1 { "service" } else { "services" };
    let (name, users) = (object.name(), users.join(", "));
    Err(Refused::invalid(format!("{what} '{name}' is in use by the following {services}: {users}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_refused_in_gos_words() {
        for bad in ["__79Pj4-", "***"] {
            assert_eq!(decode(bad).unwrap_err().message, "illegal base64 data at input byte 0", "{bad}");
        }
        assert_eq!(decode("YWJj*").unwrap_err().message, "illegal base64 data at input byte 4");
        assert_eq!(decode("YWJj").unwrap(), b"abc");
    }

    #[test]
    fn names_are_judged_as_swarm_does() {
        for bad in ["", "bad name!", "-a", "a.", &"a".repeat(65)] {
            assert_eq!(check_name(bad).unwrap_err().status, 400, "{bad}");
        }
        check_name(&"a".repeat(64)).unwrap();
    }
}
