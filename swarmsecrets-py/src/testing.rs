//! The conformance suites, for plugins that are written in Python.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use pyo3::exceptions::PyAssertionError;
use pyo3::prelude::*;
use pyo3_async_runtimes::tokio::get_runtime;
use swarmsecrets_core::SecretValue as Value;
use swarmsecrets_core::approval::{Approver, ChangeRequest, Verdict};
use swarmsecrets_core::audit::AuditRecord;
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::credential::CredentialSetter;
use swarmsecrets_core::exec::{Exec, NoExec};
use swarmsecrets_core::health::{HealthProbe, Target, TargetTask};
use swarmsecrets_core::ids::{SecretName, ServiceId, TaskId};
use swarmsecrets_core::keys::Keyring;
use swarmsecrets_core::source::SecretSource;
use swarmsecrets_host::SystemClock;
use swarmsecrets_testkit::conformance;
use swarmsecrets_testkit::conformance::credential_setter::Trouble;
use swarmsecrets_testkit::conformance::health_probe::Condition;
use swarmsecrets_testkit::gateway::{Serving, serve};
use tokio::net::TcpListener;

use crate::approval;
use crate::error::OrRaise as _;
use crate::plugins::{Desk, Done, Plugin, Probe, Setter, Sink, Source, Way};
use crate::secret_value::SecretValue;

/// Runs a suite. What it finds wrong is an `AssertionError`; what the stage raises is raised.
fn checked(py: Python<'_>, suite: impl Future<Output = ()> + Send) -> PyResult<()> {
    let ended = py.detach(|| {
        // What is wrong is raised: it need not stand on standard error too.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ()));
        let ended = std::panic::catch_unwind(AssertUnwindSafe(|| get_runtime().block_on(suite)));
        std::panic::set_hook(hook);
        ended
    });
    let Err(broken) = ended else { return Ok(()) };
    let broken = match broken.downcast::<PyErr>() {
        Ok(raised) => return Err(*raised),
        Err(broken) => broken,
    };
    let said = broken.downcast_ref::<String>().cloned();
    match said.or_else(|| broken.downcast_ref::<&str>().map(|text| (*text).to_owned())) {
        Some(promise) => Err(PyAssertionError::new_err(promise)),
        None => resume_unwind(broken),
    }
}

/// Calls something of the stage. An exception ends the suite.
fn called<T>(stage: &Py<PyAny>, method: &str, arguments: impl for<'py> pyo3::call::PyCallArgs<'py>) -> T
where
    T: for<'py> pyo3::conversion::FromPyObjectOwned<'py>,
{
    let answer = Python::attach(|py| {
        let answer = stage.bind(py).call_method1(method, arguments)?;
        answer.extract().map_err(Into::into)
    });
    answer.unwrap_or_else(|error: PyErr| resume_unwind(Box::new(error)))
}

/// The suite of approvers.
#[pyfunction]
pub(crate) fn check_approver(py: Python<'_>, stage: Py<PyAny>) -> PyResult<()> {
    let listed = |name: &str| -> PyResult<Vec<(String, String)>> { stage.getattr(py, name)?.extract(py) };
    let mut keyring = Keyring::new();
    for (key, person) in listed("keys")? {
        key.parse().and_then(|key| keyring.add(&person, key)).or_raise(py)?;
    }
    for (account, person) in listed("accounts")? {
        keyring.add_account(&person, conformance::approver::SYSTEM, &account).or_raise(py)?;
    }
    let stage = ApproverStage { keyring, stage };
    checked(py, async move { conformance::approver::check(&stage).await })
}

struct ApproverStage {
    keyring: Keyring,
    stage: Py<PyAny>,
}

#[async_trait]
impl conformance::approver::Stage for ApproverStage {
    fn open(&self) -> Arc<dyn Approver> {
        Arc::new(Desk(called(&self.stage, "open", ())))
    }

    async fn decide(&self, request: &ChangeRequest, person: &str, verdict: Verdict) {
        let request = approval::ChangeRequest(request.clone());
        let Done = called(&self.stage, "decide", (request, person.to_owned(), verdict.word()));
    }

    async fn told(&self, request: &ChangeRequest) -> usize {
        called(&self.stage, "told", (approval::ChangeRequest(request.clone()),))
    }

    fn keyring(&self) -> Keyring {
        self.keyring.clone()
    }

    fn now(&self) -> jiff::Timestamp {
        SystemClock::new().now().wall
    }
}

/// The suite of audit sinks: `stage.open()` gives an adapter, `stage.read_back()` all records as JSON.
#[pyfunction]
pub(crate) fn check_audit_sink(py: Python<'_>, stage: Py<PyAny>) -> PyResult<()> {
    let open = || Sink(called::<Plugin>(&stage, "open", ()));
    let read_back = || {
        let told: String = called(&stage, "read_back", ());
        let records: Result<Vec<AuditRecord>, _> = serde_json::from_str(&told);
        records.unwrap_or_else(|e| resume_unwind(Box::new(format!("what was read back is no record: {e}"))))
    };
    checked(py, conformance::audit_sink::check(open, read_back))
}

/// The suite of transports: `connect(url, key)` gives an adapter.
#[pyfunction]
pub(crate) fn check_transport(py: Python<'_>, stage: Py<PyAny>) -> PyResult<()> {
    let servings: Mutex<Vec<Serving>> = Mutex::default();
    let (stage, servings) = (&stage, &servings);
    let connect = |to: conformance::transport::Connection| async move {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let serving = match listener {
            Ok(listener) => serve(to.portainer, listener).await,
            Err(error) => Err(error),
        };
        let serving = serving.unwrap_or_else(|e| resume_unwind(Box::new(format!("cannot serve on this machine: {e}"))));
        let url = serving.url();
        if let Ok(mut servings) = servings.lock() {
            servings.push(serving);
        }
        Way::new(called(stage, "connect", (url, to.key)))
    };
    checked(py, conformance::transport::check(connect))
}

/// The suite of health probes.
#[pyfunction]
pub(crate) fn check_health_probe(py: Python<'_>, stage: Py<PyAny>) -> PyResult<()> {
    let stage = ProbeStage {
        probe: Probe(stage.getattr(py, "probe")?.extract(py)?),
        value: stage.getattr(py, "value")?.extract(py)?,
        patience: stage.getattr(py, "patience")?.extract(py)?,
        silence_is_unhealthy: stage.getattr(py, "silence_is_unhealthy")?.extract(py)?,
        stage,
    };
    checked(py, async move { conformance::health_probe::check(&stage).await })
}

struct ProbeStage {
    probe: Probe,
    value: String,
    patience: Duration,
    silence_is_unhealthy: bool,
    stage: Py<PyAny>,
}

#[async_trait]
impl conformance::health_probe::Stage for ProbeStage {
    async fn set(&self, condition: Condition) {
        let word = match condition {
            Condition::Working => "working",
            Condition::Broken => "broken",
            Condition::Unreachable => "unreachable",
            Condition::Silent => "silent",
        };
        let Done = called(&self.stage, "set", (word,));
    }

    fn probe(&self) -> &dyn HealthProbe {
        &self.probe
    }

    fn target(&self) -> Target {
        let made = || {
            Ok(Target {
                service: ServiceId::new("service0under0test0")?,
                name: "under_test".to_owned(),
                stack: None,
                versions: vec![SecretName::new("password")?],
                tasks: vec![TargetTask {
                    id: TaskId::new("task0under0test0")?,
                    node: None,
                    created: jiff::Timestamp::UNIX_EPOCH,
                }],
            })
        };
        made().unwrap_or_else(|error: swarmsecrets_core::Error| resume_unwind(Box::new(error.to_string())))
    }

    fn exec(&self) -> &dyn Exec {
        &NoExec
    }

    fn value(&self) -> &str {
        &self.value
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn silence_is_unhealthy(&self) -> bool {
        self.silence_is_unhealthy
    }
}

/// The suite of sources: `stage.source()` gives an adapter, `stage.put(reference, value)` puts a value there.
#[pyfunction]
pub(crate) fn check_secret_source(py: Python<'_>, stage: Py<PyAny>) -> PyResult<()> {
    let stage = SourceStage(stage);
    checked(py, async move { conformance::secret_source::check(&stage).await })
}

struct SourceStage(Py<PyAny>);

#[async_trait]
impl conformance::secret_source::Stage for SourceStage {
    fn source(&self) -> Box<dyn SecretSource> {
        Box::new(Source(called(&self.0, "source", ())))
    }

    async fn put(&self, reference: &str, value: &Value) {
        let Done = called(&self.0, "put", (reference, SecretValue(value.clone())));
    }

    fn reference(&self, name: &str) -> String {
        called(&self.0, "reference", (name,))
    }
}

/// The suite of credential setters.
#[pyfunction]
pub(crate) fn check_credential_setter(py: Python<'_>, stage: Py<PyAny>) -> PyResult<()> {
    // As long as the process, as the suite wants it: a handful of names.
    let names: Vec<String> = stage.call_method0(py, "odd_names")?.extract(py)?;
    let odd_names = names.into_iter().map(|name| &*name.leak()).collect();
    let stage = SetterStage { odd_names, stage };
    checked(py, async move { conformance::credential_setter::check(&stage).await })
}

struct SetterStage {
    odd_names: Vec<&'static str>,
    stage: Py<PyAny>,
}

impl SetterStage {
    fn valued(&self, method: &str, name: &str, password: &Value) -> Value {
        let value: Py<SecretValue> = called(&self.stage, method, (name, SecretValue(password.clone())));
        value.get().0.clone()
    }
}

#[async_trait]
impl conformance::credential_setter::Stage for SetterStage {
    async fn user(&self, name: &str, password: &Value) -> Value {
        self.valued("user", name, password)
    }

    async fn setter(&self, name: &str, trouble: Trouble) -> Box<dyn CredentialSetter> {
        let word = match trouble {
            Trouble::None => "none".to_owned(),
            Trouble::WrongAdmin => "wrong_admin".to_owned(),
            Trouble::Down => "down".to_owned(),
            Trouble::LostAnswer(step) => format!("lost_answer_to_{}", format!("{step:?}").to_lowercase()),
        };
        let setter = Setter::new(called(&self.stage, "setter", (name, word)));
        Box::new(setter.unwrap_or_else(|error| resume_unwind(Box::new(error.to_string()))))
    }

    fn value(&self, name: &str, password: &Value) -> Value {
        self.valued("value", name, password)
    }

    fn odd_names(&self) -> Vec<&'static str> {
        self.odd_names.clone()
    }
}
