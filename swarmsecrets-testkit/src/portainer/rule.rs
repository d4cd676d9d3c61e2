//! Which rule the Docker proxy applies to a method and a path.

use super::control::ControlKind;

/// Where an object's identity and labels stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// The kind of control that it has.
    pub(super) kind: ControlKind,
    /// The key of its id.
    pub(super) id: &'static str,
    /// The way to its labels.
    pub(super) labels: &'static [&'static str],
}

pub(super) const SECRET: Shape = Shape { kind: ControlKind::Secret, id: "ID", labels: &["Spec", "Labels"] };
pub(super) const SERVICE: Shape = Shape { kind: ControlKind::Service, id: "ID", labels: &["Spec", "Labels"] };
pub(super) const CONFIG: Shape = Shape { kind: ControlKind::Config, id: "ID", labels: &["Spec", "Labels"] };
pub(super) const NETWORK: Shape = Shape { kind: ControlKind::Network, id: "Id", labels: &["Labels"] };
pub(super) const CONTAINER: Shape = Shape { kind: ControlKind::Container, id: "Id", labels: &["Labels"] };
/// A task is shown with the control of its service.
pub(super) const TASK: Shape =
    Shape { kind: ControlKind::Service, id: "ServiceID", labels: &["Spec", "ContainerSpec", "Labels"] };
/// One container, where the labels stand elsewhere than in a list.
pub(super) const ONE_CONTAINER: Shape = Shape { kind: ControlKind::Container, id: "Id", labels: &["Config", "Labels"] };

/// What is done with a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rule<'a> {
    /// The new object is given to the caller.
    Create(&'static Shape),
    /// The list is decorated, and filtered for scoped accounts.
    List(&'static Shape),
    /// The object is decorated, or refused with 403.
    Inspect(&'static Shape),
    /// Only who has access may; with the object its control goes.
    Delete(&'static Shape, &'a str),
    /// Only who has access may.
    Restricted(&'static Shape, &'a str),
    /// Only administrators may.
    Administrators,
    /// The answer is encoded anew, without the join tokens for scoped accounts.
    Swarm,
    /// The answer is passed on as it is.
    Pass,
}

/// The rule for an unversioned path.
pub(super) fn of<'a>(method: &str, path: &'a str) -> Rule<'a> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match parts.as_slice() {
        ["secrets", rest @ ..] => plain(&SECRET, method, rest),
        ["configs", rest @ ..] => plain(&CONFIG, method, rest),
        ["networks", rest @ ..] => plain(&NETWORK, method, rest),
        ["services", rest @ ..] => service(method, rest),
        ["containers", rest @ ..] => container(method, rest),
        ["tasks"] => Rule::List(&TASK),
        ["swarm"] => Rule::Swarm,
        ["swarm" | "nodes", _, ..] | ["volumes", ..] => Rule::Administrators,
        _ => Rule::Pass,
    }
}

/// Secrets, configs, networks: Portainer takes the last part of the path for the id, whatever stands before it.
fn plain<'a>(shape: &'static Shape, method: &str, rest: &[&'a str]) -> Rule<'a> {
    match (method, rest) {
        (_, ["create"]) => Rule::Create(shape),
        (_, []) => Rule::List(shape),
        ("GET", _) => Rule::Inspect(shape),
        ("DELETE", [.., id]) => Rule::Delete(shape, id),
        (_, [.., id]) => Rule::Restricted(shape, id),
    }
}

fn service<'a>(method: &str, rest: &[&'a str]) -> Rule<'a> {
    match (method, rest) {
        (_, ["create"]) => Rule::Create(&SERVICE),
        (_, []) => Rule::List(&SERVICE),
        ("GET", [_]) => Rule::Inspect(&SERVICE),
        ("DELETE", [id]) => Rule::Delete(&SERVICE, id),
        (_, [id] | [id, _]) => Rule::Restricted(&SERVICE, id),
        _ => Rule::Pass,
    }
}

fn container<'a>(method: &str, rest: &[&'a str]) -> Rule<'a> {
    match (method, rest) {
        (_, ["create"]) => Rule::Create(&CONTAINER),
        (_, ["prune"]) => Rule::Administrators,
        (_, ["json"]) => Rule::List(&CONTAINER),
        (_, [_, "json"]) => Rule::Inspect(&ONE_CONTAINER),
        ("DELETE", [id]) => Rule::Delete(&CONTAINER, id),
        (_, [id] | [id, _]) => Rule::Restricted(&CONTAINER, id),
        _ => Rule::Pass,
    }
}

/// The path without the Engine's version before it.
pub(super) fn unversioned(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/v") else { return path };
    let end = rest.find('/').unwrap_or(rest.len());
    let is_version = |text: &str| {
        text.split_once('.').is_some_and(|(major, minor)| {
            major.len() == 1 && [major, minor].iter().all(|n| n.bytes().all(|b| b.is_ascii_digit()))
        })
    };
    if is_version(&rest[..end]) { &rest[end..] } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portainer_takes_the_last_part_for_the_id() {
        assert_eq!(of("POST", "/secrets/abc/update"), Rule::Restricted(&SECRET, "update"));
        assert_eq!(of("DELETE", "/secrets/abc"), Rule::Delete(&SECRET, "abc"));
        assert_eq!(of("POST", "/services/abc/update"), Rule::Restricted(&SERVICE, "abc"));
        assert_eq!(of("GET", "/services/abc/logs"), Rule::Restricted(&SERVICE, "abc"));
        assert_eq!(of("GET", "/nodes"), Rule::Pass);
        assert_eq!(of("GET", "/nodes/abc"), Rule::Administrators);
        assert_eq!(of("POST", "/exec/abc/start"), Rule::Pass);
    }

    #[test]
    fn a_version_is_dropped() {
        assert_eq!(unversioned("/v1.41/secrets"), "/secrets");
        assert_eq!(unversioned("/volumes"), "/volumes");
        assert_eq!(unversioned("/version"), "/version");
    }
}
