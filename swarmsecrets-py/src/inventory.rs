//! The usage graph. Nothing of it becomes an object of Python's before it is asked for.

use std::sync::Arc;

use pyo3::prelude::*;
use swarmsecrets_core::inventory::Format;

use crate::error::{OrRaise as _, invalid};

/// What is in a Swarm: `swarmsecrets.inventory.Inventory` reads its document.
#[pyclass(frozen, module = "swarmsecrets._native", name = "Inventory")]
pub(crate) struct Inventory(pub(crate) Arc<swarmsecrets_core::inventory::Inventory>);

#[pymethods]
impl Inventory {
    /// The document of `inventory --json`, as JSON.
    fn to_json(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.to_json())
    }

    /// The graph as SVG, Mermaid or Graphviz.
    fn draw(&self, py: Python<'_>, format: &str) -> PyResult<String> {
        let format = match format {
            "svg" => Format::Svg,
            "mermaid" => Format::Mermaid,
            "dot" => Format::Dot,
            other => return Err(invalid(format!("`{other}` is none of svg, mermaid and dot"))).or_raise(py),
        };
        Ok(py.detach(|| self.0.draw(format)))
    }
}
