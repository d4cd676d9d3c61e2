//! The native part of the Python package `swarmsecrets`: one concept, one file, here, in `python/swarmsecrets` and in `tests`.
//!
//! Work is done off the interpreter: the GIL is released while Rust works, and values do not come back to Python but by
//! `SecretValue.expose`.

mod error;
mod generate;
mod inventory;
mod order;
mod plan;
mod plugins;
mod request;
mod runtime;
mod secret_value;
mod session;
mod settings;
mod sim;
mod testing;

#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use super::generate::Generate;
    #[pymodule_export]
    use super::inventory::Inventory;
    #[pymodule_export]
    use super::order::Cancellation;
    #[pymodule_export]
    use super::plan::Plan;
    #[pymodule_export]
    use super::plugins::{Containers, Request};
    #[pymodule_export]
    use super::request::duration;
    #[pymodule_export]
    use super::secret_value::SecretValue;
    #[pymodule_export]
    use super::session::Session;
    #[pymodule_export]
    use super::settings::{Password, Probe};
    #[pymodule_export]
    use super::sim::{Serving, SimSwarm};

    #[pymodule_export]
    use super::testing::{check_audit_sink, check_credential_setter, check_health_probe, check_transport};

    #[pymodule_init]
    fn init(_module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        // Rust's log goes to `logging`. Another extension of this process may have taken it before.
        drop(pyo3_log::try_init());
        Ok(())
    }
}
