//! The steps of a rotation's plan, in order.

use super::diff;
use super::document::{Content, PlannedConsumer, PlannedSecret, Precondition, Step, StepKind, Undo};
use crate::ids::listed;
use crate::inventory::StackKind;

/// The steps; `updates` are those of the consumers, not numbered yet.
pub(super) fn steps(content: &Content, updates: Vec<Step>) -> Vec<Step> {
    let mut steps = Steps(Vec::with_capacity(content.consumers.len() + 2 * content.secrets.len() + 4));
    for (n, secret) in content.secrets.iter().enumerate() {
        steps.version(content, n, secret);
    }
    let provides = |step: &Step| content.secrets.iter().filter_map(|s| s.provider()).any(|p| p.service == step.target);
    let (providers, updates): (Vec<Step>, Vec<Step>) = updates.into_iter().partition(provides);
    for update in providers {
        steps.push(update);
    }
    for secret in &content.secrets {
        if let (Some(account), Some(previous)) = (&secret.credential, &secret.previous) {
            let keeps =
                if account.way.holds_two() { "; the old one stays valid" } else { "; THE OLD ONE ENDS AT ONCE" };
            let text =
                format!("set the password of {account} to that of {}{keeps}, and log in with it", secret.next.name);
            steps.add(StepKind::SetCredential, previous.name.as_str(), text, Vec::new(), Undo::PutBack);
        }
    }
    for update in updates {
        steps.push(update);
    }
    for stack in &content.stacks {
        let new = listed(content.secrets.iter().map(|s| s.next.name.as_str()));
        let old = listed(content.replaced().map(|v| v.name.as_str()));
        let (kind, undo, text) = match stack.by_hand {
            None => (
                StepKind::WriteStack,
                Undo::PutBack,
                match stack.kind {
                    StackKind::Git { .. } => format!(
                        "stack {}: its variables name {new} in place of {old}, if its repository stands as it was deployed; the redeploy changes nothing else",
                        stack.name
                    ),
                    _ => format!(
                        "stack {}: its file names {new} in place of {old}; the redeploy changes nothing else",
                        stack.name
                    ),
                },
            ),
            Some(_) => (
                StepKind::PatchStack,
                Undo::Nothing,
                format!("stack {}: a person must let its file name {new} in place of {old}", stack.name),
            ),
        };
        steps.add(kind, &stack.name, text, Vec::new(), undo);
    }
    for secret in &content.secrets {
        if let (Some(account), Some(previous)) = (&secret.credential, &secret.previous) {
            let text = format!("end the old password of {account}, and see that it no longer logs in");
            steps.add(StepKind::RevokeCredential, previous.name.as_str(), text, Vec::new(), Undo::Impossible);
        }
    }
    for consumer in &content.consumers {
        for (version, target) in consumer.besides(&content.secrets) {
            let text = format!("update service {}: without {} at {target}", consumer.service, version.name);
            steps.add(StepKind::UnmountPrevious, &consumer.service, text, Vec::new(), Undo::Impossible);
        }
    }
    let grace = content.timing.grace;
    for old in content.replaced().map(|v| v.name.as_str()) {
        if !grace.is_zero() {
            let text = format!("keep {old} for {}", diff::humane(grace));
            steps.add(StepKind::KeepPrevious, old, text, Vec::new(), Undo::Nothing);
        }
        let text = format!("delete {old} once no service, no living task and no stack file uses it");
        steps.add(StepKind::RetirePrevious, old, text, Vec::new(), Undo::Impossible);
    }
    steps.0
}

/// The step that updates a consumer, pinned to how it was seen; not numbered yet.
pub(super) fn update(secrets: &[PlannedSecret], consumer: &PlannedConsumer, seen: Precondition) -> Step {
    let service = consumer.service.as_str();
    let (judge, asked) = match consumer.probes.as_slice() {
        [] => (", and judge its rollout", String::new()),
        probes => (", judge its rollout, and ask ", listed(probes)),
    };
    Step {
        n: 0,
        kind: StepKind::UpdateService,
        target: service.to_owned(),
        text: ["update service ", service, ": ", &swaps(secrets, consumer), &beside(secrets, consumer), judge, &asked]
            .concat(),
        requires: vec![seen],
        undo: Undo::PutBack,
    }
}

/// What changes in one consumer: `db -> db_v2, key -> key_v2`.
pub(super) fn swaps(secrets: &[PlannedSecret], consumer: &PlannedConsumer) -> String {
    let mut places: Vec<usize> = consumer.mounts.iter().map(|m| m.secret).collect();
    places.sort_unstable();
    places.dedup();
    let swap = |secret: &PlannedSecret| {
        Some([secret.previous.as_ref()?.name.as_str(), " -> ", secret.next.name.as_str()].concat())
    };
    places.iter().filter_map(|n| swap(secrets.get(*n)?)).collect::<Vec<_>>().join(", ")
}

/// What one consumer mounts beside that while commands run in it: `, and db beside it at db.previous`.
pub(super) fn beside(secrets: &[PlannedSecret], consumer: &PlannedConsumer) -> String {
    let besides = consumer.besides(secrets).into_iter();
    besides.map(|(version, target)| format!(", and {} beside it at {target}", version.name)).collect()
}

struct Steps(Vec<Step>);

impl Steps {
    fn add(&mut self, kind: StepKind, target: &str, text: String, requires: Vec<Precondition>, undo: Undo) {
        self.push(Step { n: 0, kind, target: target.to_owned(), text, requires, undo });
    }

    fn push(&mut self, step: Step) {
        let n = u32::try_from(self.0.len() + 1).unwrap_or(u32::MAX);
        self.0.push(Step { n, ..step });
    }

    /// Makes a version, and gives it its owner.
    fn version(&mut self, content: &Content, n: usize, secret: &PlannedSecret) {
        let Some(previous) = &secret.previous else { return };
        let (old, new) = (previous.name.as_str(), secret.next.name.as_str());
        let mounts = |c: &&PlannedConsumer| c.mounts.iter().any(|m| m.secret == n);
        let requires = vec![
            Precondition::VersionExists { id: previous.id.clone(), name: previous.name.clone() },
            Precondition::NameFree { name: secret.next.name.clone() },
            Precondition::Consumers {
                of: previous.name.clone(),
                services: content.consumers.iter().filter(mounts).map(|c| c.service.clone()).collect(),
            },
        ];
        self.add(StepKind::CreateVersion, new, format!("create secret {new}"), requires, Undo::RemoveVersion);
        if secret.owner.is_some() {
            let text = format!("give {new} the owner of {old}");
            self.add(StepKind::SetOwner, new, text, Vec::new(), Undo::Nothing);
        }
    }
}
