//! The order of the consumers: after what they depend on, the canary first, then by name.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::ids::quoted;
use crate::inventory::{ServiceNode, label};

/// Orders services, which come by name. A dependency on a service that is not among them does not matter.
///
/// # Errors
/// `Invalid` for a canary that is not among them, and for dependencies that go in a circle, with the circle.
pub(super) fn order<'a>(services: &[&'a ServiceNode], canary: Option<&str>) -> Result<Vec<&'a ServiceNode>> {
    let place = |name: &str| services.binary_search_by(|s| s.name.as_str().cmp(name)).ok();
    if let Some(name) = canary.filter(|name| place(name).is_none()) {
        let text = format!("{} is not a consumer, so it cannot be the canary", quoted(name));
        return Err(Error::new(ErrorKind::Invalid, text));
    }
    let before: Vec<Vec<usize>> = services.iter().map(|s| dependencies(s, place)).collect();
    let mut after = vec![Vec::new(); services.len()];
    let mut open: Vec<usize> = before.iter().map(Vec::len).collect();
    for (service, dependencies) in before.iter().enumerate() {
        for dependency in dependencies {
            after[*dependency].push(service);
        }
    }
    // They come by name, so that their places stand for their names.
    let rank = |n: usize| (!is_canary(services[n], canary), n);
    let mut ready: BTreeSet<_> = (0..services.len()).filter(|n| open[*n] == 0).map(rank).collect();
    let mut ordered = Vec::with_capacity(services.len());
    while let Some((_, n)) = ready.pop_first() {
        ordered.push(services[n]);
        for follower in &after[n] {
            open[*follower] -= 1;
            if open[*follower] == 0 {
                ready.insert(rank(*follower));
            }
        }
    }
    if ordered.len() == services.len() { Ok(ordered) } else { Err(circle(services, &before, &open)) }
}

fn dependencies(service: &ServiceNode, place: impl Fn(&str) -> Option<usize>) -> Vec<usize> {
    let Some(names) = service.labels.get(label::AFTER) else { return Vec::new() };
    let set: BTreeSet<usize> = names.split(',').filter_map(|name| place(name.trim())).collect();
    set.into_iter().collect()
}

fn is_canary(service: &ServiceNode, chosen: Option<&str>) -> bool {
    match chosen {
        Some(name) => service.name == name,
        None => service.labels.get(label::CANARY).is_some_and(|v| v.eq_ignore_ascii_case("true")),
    }
}

/// Every service that is left waits for another one that is left, so following these must come round.
fn circle(services: &[&ServiceNode], before: &[Vec<usize>], open: &[usize]) -> Error {
    let mut at = open.iter().position(|n| *n > 0).unwrap_or(0);
    let mut path: Vec<usize> = Vec::new();
    while !path.contains(&at) {
        path.push(at);
        match before[at].iter().find(|n| open[**n] > 0) {
            Some(next) => at = *next,
            None => break,
        }
    }
    let start = path.iter().position(|n| *n == at).unwrap_or(0);
    let names: Vec<String> =
        path[start..].iter().chain(std::iter::once(&at)).map(|n| quoted(&services[*n].name)).collect();
    Error::new(ErrorKind::Invalid, format!("the labels {} go in a circle: {}", label::AFTER, names.join(" after ")))
}
