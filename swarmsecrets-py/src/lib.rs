//! The native part of the Python package `swarmsecrets`: one concept, one file, here, in `python/swarmsecrets` and in `tests`.
//!
//! Work is done off the interpreter: the GIL is released while Rust works, and values do not come back to Python but by
//! `SecretValue.expose`.

use log::LevelFilter;

mod approval;
mod audit;
mod error;
mod generate;
mod inventory;
mod order;
mod plan;
mod plugins;
mod policy;
mod read_only;
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
    use super::approval::{ChangeRequest, Decision, keygen, sign};
    #[pymodule_export]
    use super::audit::{query_audit, sign_audit, verify_audit};
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
    use super::policy::Policy;
    #[pymodule_export]
    use super::read_only::Reading;
    #[pymodule_export]
    use super::request::duration;
    #[pymodule_export]
    use super::secret_value::SecretValue;
    #[pymodule_export]
    use super::session::Session;
    #[pymodule_export]
    use super::settings::{Password, Probe, Source};
    #[pymodule_export]
    use super::sim::{Serving, SimSwarm};

    #[pymodule_export]
    use super::testing::{
        check_approver, check_audit_sink, check_credential_setter, check_health_probe, check_secret_source,
        check_transport,
    };

    #[pymodule_init]
    fn init(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        super::log_to_python(module.py())
    }
}

/// What Rust logs goes to `logging`: of swarmsecrets down to `DEBUG`, of what it is built on warnings alone, which take no
/// interpreter's time. Another extension of this process may have taken the log before.
fn log_to_python(py: pyo3::Python<'_>) -> pyo3::PyResult<()> {
    let logger = pyo3_log::Logger::new(py, pyo3_log::Caching::Nothing)?.filter(LevelFilter::Warn);
    let crates = ["swarmsecrets_core", "swarmsecrets_host", "swarmsecrets_portainer", "_native"];
    let logger =
        crates.iter().fold(logger, |logger, name| logger.filter_target((*name).to_owned(), LevelFilter::Debug));
    drop(logger.install());
    Ok(())
}
