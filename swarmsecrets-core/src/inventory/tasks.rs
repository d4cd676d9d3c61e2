//! What the tasks of each service do, counted.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{ServiceMode, ServiceNode, TaskSummary};
use crate::error::Result;
use crate::ids::{NodeId, SecretId};
use crate::model::{Task, for_each, id_of};

/// Fills in the summaries, and gives the ids of all secrets that a living task mounts, those of unseen services too.
pub(super) fn summarize(body: &[u8], services: &mut [ServiceNode]) -> Result<HashSet<String>> {
    let mut living = HashSet::new();
    let mut counts = vec![Counts::default(); services.len()];
    let places: HashMap<&str, usize> = services.iter().enumerate().map(|(n, s)| (s.id.as_str(), n)).collect();
    for_each("the list of tasks", body, |task: Task<'_>| {
        if !task.is_ended() {
            for (id, _) in task.secrets() {
                if !living.contains(id) {
                    living.insert(id.to_owned());
                }
            }
        }
        match places.get(task.service.as_str()) {
            Some(place) => counts[*place].add(&task, &services[*place]),
            None => Ok(()),
        }
    })?;
    drop(places);
    for (service, counts) in services.iter_mut().zip(counts) {
        finish(service, counts);
    }
    Ok(living)
}

#[derive(Clone, Default)]
struct Counts {
    summary: TaskSummary,
    wanted: u64,
    /// Tasks that should run, but mount other secrets than the spec says now.
    behind: u64,
}

impl Counts {
    fn add(&mut self, task: &Task<'_>, service: &ServiceNode) -> Result<()> {
        let summary = &mut self.summary;
        if !task.is_ended() {
            task.secrets().try_for_each(|(id, _)| add(&mut summary.alive, id))?;
        }
        if !task.is_wanted() {
            return Ok(());
        }
        self.wanted += 1;
        task.secrets().try_for_each(|(id, _)| add(&mut summary.mounting, id))?;
        self.behind += u64::from(!mounts_what_the_spec_says(task, service));
        if &*task.desired_state == "running" && &*task.status.state == "running" {
            summary.running += 1;
            if !task.node.is_empty() {
                let node: NodeId = id_of(&task.node, "a task's node")?;
                if let Err(place) = summary.nodes.binary_search(&node) {
                    summary.nodes.insert(place, node);
                }
            }
        }
        Ok(())
    }
}

fn mounts_what_the_spec_says(task: &Task<'_>, service: &ServiceNode) -> bool {
    let mounted = task.secrets().map(|(id, _)| id);
    let asked = service.references.iter().map(|r| r.id.as_str());
    // In nearly all cases the order is the same too.
    mounted.clone().eq(asked.clone()) || mounted.collect::<BTreeSet<_>>() == asked.collect::<BTreeSet<_>>()
}

fn add(counts: &mut BTreeMap<SecretId, u64>, id: &str) -> Result<()> {
    match counts.get_mut(id) {
        Some(count) => *count += 1,
        None => drop(counts.insert(id_of(id, "a task's secret")?, 1)),
    }
    Ok(())
}

fn finish(service: &mut ServiceNode, mut counts: Counts) {
    counts.summary.nodes.shrink_to_fit();
    service.tasks = std::mem::take(&mut counts.summary);
    service.tasks.desired = match service.mode {
        ServiceMode::Replicated(replicas) => replicas,
        ServiceMode::Global | ServiceMode::ReplicatedJob | ServiceMode::GlobalJob => counts.wanted,
    };
    service.tasks.trouble = trouble(service, &counts);
}

/// Why the service is not converged on its spec. `UpdateStatus` alone never says that it is.
fn trouble(service: &ServiceNode, counts: &Counts) -> Option<String> {
    let state = service.update_status.as_ref().map(|status| status.state.as_str());
    let TaskSummary { desired, running, .. } = service.tasks;
    match state {
        Some("paused") => Some("its update is paused".into()),
        Some("rollback_paused") => Some("its rollback is paused".into()),
        Some("updating") => Some("it is being updated".into()),
        Some("rollback_started") => Some("it is being rolled back".into()),
        _ if matches!(service.mode, ServiceMode::ReplicatedJob | ServiceMode::GlobalJob) => None,
        _ if counts.behind > 0 => {
            Some(format!("{} of {desired} tasks mount other secrets than its spec", counts.behind))
        }
        _ if running < desired => Some(format!("{running} of {desired} tasks run")),
        _ => None,
    }
}
