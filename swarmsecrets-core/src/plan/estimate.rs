//! How long the consumers of a plan are expected to take.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::request::{Rollout, Timing};
use super::rotate::restarts;
use crate::inventory::ServiceNode;

/// For a task to stop and its successor to start, where the image is on the node. A guess: nothing in a spec tells it.
const RESTART: Duration = Duration::from_secs(3);

/// How long one service needs: its tasks in batches with the delay between them, then watched by Swarm, then for as long as
/// they must have been healthy. What images, health checks and slow shutdowns add is not known.
pub(super) fn of_service(service: &ServiceNode, timing: &Timing) -> Duration {
    let update = &service.update;
    let tasks = restarts(service);
    let batches = match update.parallelism {
        0 => tasks.min(1),
        at_once => tasks.div_ceil(at_once),
    };
    let times = |time: Duration, n: u64| time.saturating_mul(u32::try_from(n).unwrap_or(u32::MAX));
    let delays = times(Duration::from_nanos(update.delay), batches.saturating_sub(1));
    let watched = if tasks == 0 { Duration::ZERO } else { Duration::from_nanos(update.monitor) };
    times(RESTART, batches).saturating_add(delays).saturating_add(watched).saturating_add(timing.stability)
}

/// How long all of them need, in their order: wave after wave, each service as soon as a hand is free.
pub(super) fn of_all(services: &[(u32, &ServiceNode)], rollout: &Rollout, timing: &Timing) -> Duration {
    let hands = rollout.concurrency.max(1) as usize;
    let mut total = Duration::ZERO;
    for wave in services.chunk_by(|a, b| a.0 == b.0) {
        let mut free: BinaryHeap<Reverse<Duration>> = BinaryHeap::new();
        let mut last = Duration::ZERO;
        for (_, service) in wave {
            let begun = if free.len() < hands { None } else { free.pop() };
            let done = begun.map_or(Duration::ZERO, |Reverse(at)| at).saturating_add(of_service(service, timing));
            free.push(Reverse(done));
            last = last.max(done);
        }
        total = total.saturating_add(last);
    }
    total
}
