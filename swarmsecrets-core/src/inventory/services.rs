//! Services as nodes of the usage graph.

use super::{ServiceNode, TaskSummary, label};
use crate::error::Result;
use crate::ids::SpecVersion;
use crate::model::{Service, first_oversized, id_of};

/// Reads the list of services into nodes, by name.
pub(super) fn read(body: &[u8]) -> Result<Vec<ServiceNode>> {
    let mut nodes = Vec::new();
    Service::for_each(body, |service| {
        nodes.push(node(body, &service)?);
        Ok(())
    })?;
    nodes.shrink_to_fit();
    nodes.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    Ok(nodes)
}

fn node(body: &[u8], service: &Service<'_>) -> Result<ServiceNode> {
    let spec = &service.spec;
    let start = (service.spec_text.as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
    Ok(ServiceNode {
        id: id_of(&service.id, "a service")?,
        name: spec.name.to_string(),
        labels: spec.labels.to_labels(),
        version: SpecVersion(service.version),
        mode: spec.mode(),
        stack: spec.labels.get(label::STACK).filter(|name| !name.is_empty()).map(str::to_owned),
        image: spec.image().to_owned(),
        references: spec.references().collect(),
        update: spec.update(),
        health_check: spec.health_check_ns(),
        host_port: spec.host_port(),
        tasks: TaskSummary { trouble: unsettled(service).map(str::to_owned), ..TaskSummary::default() },
        oversized: first_oversized(service.spec_text),
        spec: start..start + service.spec_text.len(),
    })
}

const UPDATING: &str = "it is being updated";
const ROLLING_BACK: &str = "it is being rolled back";

impl ServiceNode {
    /// Whether an update of it, or a rollback, is under way.
    pub(crate) fn is_moving(&self) -> bool {
        self.tasks.trouble.as_deref().is_some_and(|why| [UPDATING, ROLLING_BACK].contains(&why))
    }
}

/// Why the service's last update has not come to an end. That it says it has is no proof that all is well.
fn unsettled(service: &Service<'_>) -> Option<&'static str> {
    match service.update_status.as_ref()?.state.as_str() {
        "paused" => Some("its update is paused"),
        "rollback_paused" => Some("its rollback is paused"),
        "updating" => Some(UPDATING),
        "rollback_started" => Some(ROLLING_BACK),
        _ => None,
    }
}
