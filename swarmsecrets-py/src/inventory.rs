//! The usage graph. Nothing of it becomes an object of Python's before it is asked for.

use pyo3::prelude::*;
use swarmsecrets_client::Seen;
use swarmsecrets_core::Result;
use swarmsecrets_core::inventory::Format;

use crate::error::{OrRaise as _, invalid};

/// What is in a Swarm: `swarmsecrets.inventory.Inventory` reads its document.
#[pyclass(frozen, module = "swarmsecrets._native", name = "Inventory")]
pub(crate) struct Inventory(Seen);

impl Inventory {
    /// What was seen.
    pub(crate) fn of(seen: Seen) -> Self {
        Self(seen)
    }

    /// The graph itself, of one that was read here.
    pub(crate) fn graph(&self) -> Result<&swarmsecrets_core::inventory::Inventory> {
        match &self.0 {
            Seen::Graph(graph) => Ok(graph),
            Seen::Document(_) => {
                let text =
                    "a server tells an inventory as a document: it can be read here, and neither drawn nor judged";
                Err(invalid(text))
            }
        }
    }
}

#[pymethods]
impl Inventory {
    /// The document of `inventory --json`, as JSON.
    fn to_json(&self, py: Python<'_>) -> String {
        match &self.0 {
            Seen::Graph(graph) => py.detach(|| graph.to_json()),
            Seen::Document(text) => text.clone(),
        }
    }

    /// The graph as SVG, Mermaid or Graphviz.
    fn draw(&self, py: Python<'_>, format: &str) -> PyResult<String> {
        let format = match format {
            "svg" => Format::Svg,
            "mermaid" => Format::Mermaid,
            "dot" => Format::Dot,
            other => return Err(invalid(format!("`{other}` is none of svg, mermaid and dot"))).or_raise(py),
        };
        let graph = self.graph().or_raise(py)?;
        Ok(py.detach(|| graph.draw(format)))
    }
}
