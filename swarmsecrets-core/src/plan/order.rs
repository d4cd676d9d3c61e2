//! The order of the consumers: in waves, each after what it depends on, the canary first, then by name.

use std::collections::BTreeSet;

use super::request::{Canary, RotationRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::quoted;
use crate::inventory::{ServiceNode, label};

/// Orders services, which come by name, each with the number of its wave. A dependency on a service that is not among
/// them does not matter.
///
/// # Errors
/// `Invalid` for a canary or a service of a dependency by request that is not among them, and for dependencies that go in
/// a circle, with the circle.
pub(super) fn order<'a>(
    services: &[&'a ServiceNode],
    request: &RotationRequest,
) -> Result<Vec<(u32, &'a ServiceNode)>> {
    let before = dependencies(services, request)?;
    let mut after = vec![Vec::new(); services.len()];
    let mut open: Vec<usize> = before.iter().map(BTreeSet::len).collect();
    for (service, dependencies) in before.iter().enumerate() {
        dependencies.iter().for_each(|dependency| after[*dependency].push(service));
    }
    let canaries = canaries(services, request, |n| open[n] == 0)?;
    let mut ready: Vec<usize> = (0..services.len()).filter(|n| open[*n] == 0).collect();
    let mut ordered = Vec::with_capacity(services.len());
    for wave in 0.. {
        let (mut now, mut next): (Vec<usize>, Vec<usize>) = ready.into_iter().partition(|n| canaries.contains(n));
        if now.is_empty() {
            std::mem::swap(&mut now, &mut next);
        }
        if now.is_empty() {
            break;
        }
        for n in now {
            ordered.push((wave, services[n]));
            for follower in &after[n] {
                open[*follower] -= 1;
                if open[*follower] == 0 {
                    next.push(*follower);
                }
            }
        }
        next.sort_unstable();
        ready = next;
    }
    if ordered.len() == services.len() { Ok(ordered) } else { Err(circle(services, &before, &open)) }
}

fn place(services: &[&ServiceNode], name: &str) -> Option<usize> {
    services.binary_search_by(|s| s.name.as_str().cmp(name)).ok()
}

/// The services that each is updated after, by their places.
fn dependencies(services: &[&ServiceNode], request: &RotationRequest) -> Result<Vec<BTreeSet<usize>>> {
    let labelled = |service: &&ServiceNode| {
        let names = service.labels.get(label::AFTER).into_iter().flat_map(|names| names.split(','));
        names.filter_map(|name| place(services, name.trim())).collect()
    };
    let mut before: Vec<BTreeSet<usize>> = services.iter().map(labelled).collect();
    for (service, dependency) in &request.after {
        let place = |name: &str| {
            let unknown = || {
                Error::new(
                    ErrorKind::Invalid,
                    format!(
                        "{} is not a consumer, so it has no place in the order: leave it out (--after)",
                        quoted(name)
                    ),
                )
            };
            place(services, name).ok_or_else(unknown)
        };
        before[place(service)?].insert(place(dependency)?);
    }
    Ok(before)
}

fn canaries(
    services: &[&ServiceNode],
    request: &RotationRequest,
    may_begin: impl Fn(usize) -> bool,
) -> Result<BTreeSet<usize>> {
    let name = match &request.canary {
        Canary::Skipped => return Ok(BTreeSet::new()),
        Canary::Labelled => return Ok(by_label_or_size(services, request.rollout.concurrency, may_begin)),
        Canary::Service(name) => name,
    };
    let unknown = || {
        Error::new(
            ErrorKind::Invalid,
            format!("{} is not a consumer, so it cannot be the canary: name one that is (--canary)", quoted(name)),
        )
    };
    Ok(BTreeSet::from([place(services, name).ok_or_else(unknown)?]))
}

fn by_label_or_size(services: &[&ServiceNode], concurrency: u32, may_begin: impl Fn(usize) -> bool) -> BTreeSet<usize> {
    let labelled = |n: &usize| services[*n].labels.get(label::CANARY).is_some_and(|v| v.eq_ignore_ascii_case("true"));
    let found: BTreeSet<usize> = (0..services.len()).filter(labelled).collect();
    if !found.is_empty() || concurrency == 1 {
        return found;
    }
    // A service without tasks would prove nothing.
    let proving = (0..services.len()).filter(|n| may_begin(*n) && services[*n].tasks.desired > 0);
    proving.min_by_key(|n| services[*n].tasks.desired).into_iter().collect()
}

/// Every service that is left waits for another one that is left, so following these must come round.
fn circle(services: &[&ServiceNode], before: &[BTreeSet<usize>], open: &[usize]) -> Error {
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
    Error::new(
        ErrorKind::Invalid,
        format!(
            "the dependencies ({}, --after) go in a circle: {}: take one of them out",
            label::AFTER,
            names.join(" after ")
        ),
    )
}
