//! What the tasks of each service do, counted.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::{LeavingTask, MountedSecret, Mounts, ServiceMode, ServiceNode, TaskSummary};
use crate::error::Result;
use crate::ids::NodeId;
use crate::model::{Task, for_each, id_of};

/// Fills in the summaries, and gives the ids of the secrets that living tasks of services that were not listed mount.
pub(super) fn summarize(body: &[u8], services: &mut [ServiceNode]) -> Result<HashSet<String>> {
    let mut unseen = HashSet::new();
    let mut counts = vec![Counts::default(); services.len()];
    let places: HashMap<&str, usize> = services.iter().enumerate().map(|(n, s)| (s.id.as_str(), n)).collect();
    for_each("the list of tasks", body, |task: Task<'_>| {
        match places.get(task.service.as_str()) {
            Some(place) => return counts[*place].add(&task, &services[*place]),
            None if !task.is_ended() => unseen.extend(task.secrets().map(|(id, _)| id.to_owned())),
            None => {}
        }
        Ok(())
    })?;
    drop(places);
    for (service, counts) in services.iter_mut().zip(counts) {
        finish(service, counts);
    }
    Ok(unseen)
}

/// The ids of secrets that a living task mounts, but for those that the spec of its service names too.
pub(super) fn living<'a>(services: &'a [Arc<ServiceNode>], unseen: &'a HashSet<String>) -> HashSet<&'a str> {
    let left = |service: &'a ServiceNode| {
        let named = |m: &&MountedSecret| service.references.iter().any(|r| r.id == m.id.as_str());
        service.tasks.mounted.iter().filter(|m| m.by.alive > 0).filter(move |m| !named(m)).map(|m| m.id.as_str())
    };
    services.iter().flat_map(|service| left(service)).chain(unseen.iter().map(String::as_str)).collect()
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
        let (wanted, alive) = (task.is_wanted(), !task.is_ended());
        if wanted || alive {
            for (id, _) in task.secrets() {
                let by = mounts(&mut summary.mounted, id)?;
                by.wanted += u64::from(wanted);
                by.alive += u64::from(alive);
            }
        }
        if !wanted {
            if alive {
                summary.leaving.push(leaving(task)?);
            }
            return Ok(());
        }
        self.wanted += 1;
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

fn leaving(task: &Task<'_>) -> Result<LeavingTask> {
    let node = (!task.node.is_empty()).then(|| id_of(&task.node, "a task's node")).transpose()?;
    let secrets = task.secrets().map(|(id, _)| id_of(id, "a task's secret")).collect::<Result<_>>()?;
    Ok(LeavingTask { id: id_of(&task.id, "a task")?, node, secrets })
}

fn mounts_what_the_spec_says(task: &Task<'_>, service: &ServiceNode) -> bool {
    let mounted = task.secrets().map(|(id, _)| id);
    let asked = service.references.iter().map(|r| r.id.as_str());
    // In nearly all cases the order is the same too.
    mounted.clone().eq(asked.clone()) || mounted.collect::<BTreeSet<_>>() == asked.collect::<BTreeSet<_>>()
}

/// The counts of a secret, made if it has none yet.
fn mounts<'a>(mounted: &'a mut Vec<MountedSecret>, id: &str) -> Result<&'a mut Mounts> {
    let place = match mounted.binary_search_by(|m| m.id.as_str().cmp(id)) {
        Ok(place) => place,
        Err(place) => {
            mounted.insert(place, MountedSecret { id: id_of(id, "a task's secret")?, by: Mounts::default() });
            place
        }
    };
    Ok(&mut mounted[place].by)
}

fn finish(service: &mut ServiceNode, mut counts: Counts) {
    counts.summary.nodes.shrink_to_fit();
    counts.summary.mounted.shrink_to_fit();
    counts.summary.leaving.shrink_to_fit();
    let unsettled = service.tasks.trouble.take();
    service.tasks = std::mem::take(&mut counts.summary);
    service.tasks.desired = match service.mode {
        ServiceMode::Replicated(replicas) => replicas,
        ServiceMode::Global | ServiceMode::ReplicatedJob | ServiceMode::GlobalJob => counts.wanted,
    };
    service.tasks.trouble = unsettled.or_else(|| trouble(service, &counts));
}

/// Why the tasks are not converged on the service's spec.
fn trouble(service: &ServiceNode, counts: &Counts) -> Option<String> {
    let TaskSummary { desired, running, .. } = service.tasks;
    if matches!(service.mode, ServiceMode::ReplicatedJob | ServiceMode::GlobalJob) {
        None
    } else if counts.behind > 0 {
        Some(format!("{} of {desired} tasks mount other secrets than its spec", counts.behind))
    } else if running < desired {
        Some(format!("{running} of {desired} tasks run"))
    } else {
        None
    }
}
