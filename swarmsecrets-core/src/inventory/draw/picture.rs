//! What is drawn: boxes in three columns and lines between them.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::is_unprintable;
use crate::inventory::{Inventory, LogicalSecret, ServiceNode, StackNode};
use crate::inventory::{InventoryFindingKind, StackKind, StackStatus};

/// The columns, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Stack,
    Service,
    Secret,
}

/// One box.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) column: Column,
    /// The name, on one line.
    pub(super) name: String,
    /// What else is said, in small.
    pub(super) note: String,
    /// Whether something is wrong with it.
    pub(super) alarming: bool,
}

/// One line between two boxes, by their places.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// What stands at it: the version that is used, where that is not the current one.
    pub(super) note: String,
}

/// Boxes and lines.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

impl Picture {
    pub(super) fn of(inventory: &Inventory) -> Self {
        let mut picture = Self::default();
        let stacks: BTreeMap<&str, usize> =
            inventory.stacks.iter().map(|stack| (stack.name.as_str(), picture.add(of_stack(stack)))).collect();
        // A service without secrets has no place in this drawing.
        let mut services = BTreeMap::new();
        for service in inventory.services.iter().filter(|s| !s.references.is_empty()) {
            let node = picture.add(of_service(service));
            services.insert(&service.id, node);
            if let Some(stack) = service.stack.as_deref().and_then(|name| stacks.get(name)) {
                picture.edges.push(Edge { from: *stack, to: node, note: String::new() });
            }
        }
        for secret in &inventory.secrets {
            let node = picture.add(of_secret(secret));
            let uses: BTreeSet<_> = secret
                .consumers
                .iter()
                .map(|c| (&c.service().name, &c.service().id, c.reference().name.as_str()))
                .collect();
            for (_, service, version) in uses {
                let note = if version == secret.current().name.as_str() { String::new() } else { plain(version) };
                picture.edges.extend(services.get(service).map(|from| Edge { from: *from, to: node, note }));
            }
        }
        picture
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
}

fn of_stack(stack: &StackNode) -> Node {
    let kind = match stack.kind {
        StackKind::File => "file stack",
        StackKind::Git { .. } => "git stack",
        StackKind::Cli => "stack deployed by hand",
    };
    let stopped = if stack.status == StackStatus::Stopped { ", stopped" } else { "" };
    Node {
        column: Column::Stack,
        name: plain(&stack.name),
        note: format!("{kind}{stopped}"),
        alarming: stack.unreadable.is_some(),
    }
}

fn of_service(service: &ServiceNode) -> Node {
    let running = format!("{} of {} running", service.tasks.running, service.tasks.desired);
    Node {
        column: Column::Service,
        name: plain(&service.name),
        note: service.tasks.trouble.as_deref().map_or(running, plain),
        alarming: service.tasks.trouble.is_some(),
    }
}

fn of_secret(secret: &LogicalSecret) -> Node {
    let kinds: BTreeSet<InventoryFindingKind> = secret.findings.iter().map(|finding| finding.kind).collect();
    let current = plain(secret.current().name.as_str());
    let mut note = match secret.versions.len() {
        1 => current,
        versions => format!("{current}, {versions} versions"),
    };
    for kind in &kinds {
        note.push_str(match kind {
            InventoryFindingKind::Unused => ", unused",
            InventoryFindingKind::UnusedVersion => ", an old version is unused",
            InventoryFindingKind::Dangling => ", dangling",
            InventoryFindingKind::SeveralVersions => ", several in use",
            InventoryFindingKind::Overdue => ", overdue",
            InventoryFindingKind::BadPolicy => ", bad policy",
        });
    }
    let alarming = kinds.iter().any(|kind| *kind != InventoryFindingKind::UnusedVersion);
    Node { column: Column::Secret, name: plain(&secret.name), note, alarming }
}

/// A name from outside on one line, without characters that turn text round.
fn plain(text: &str) -> String {
    text.chars().map(|c| if is_unprintable(c) { '\u{fffd}' } else { c }).collect()
}
