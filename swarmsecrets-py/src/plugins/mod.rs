//! Plugins that are written in Python. `swarmsecrets._plugins` has an adapter for each trait, which awaits what is to be
//! awaited and says what is wrong with an answer; here they become the traits of core.

mod approver;
mod audit_sink;
mod credential_setter;
mod health_probe;
mod secret_source;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use pyo3::call::PyCallArgs;
use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

pub(crate) use self::approver::Desk;
pub(crate) use self::audit_sink::Sink;
pub(crate) use self::credential_setter::Setter;
pub(crate) use self::health_probe::{Containers, Probe};
pub(crate) use self::secret_source::Source;
pub(crate) use self::transport::{Request, Way};
use crate::error::plain;
use crate::secret_value;

/// An adapter, and how long it may take.
#[derive(Clone)]
pub(crate) struct Plugin {
    adapter: Arc<Py<PyAny>>,
    /// What it is, for messages.
    what: String,
    /// What it says of itself once and for all: the name of a probe, the account of a setter.
    told: String,
    limit: Duration,
}

impl<'py> FromPyObject<'_, 'py> for Plugin {
    type Error = PyErr;

    fn extract(adapter: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self {
            what: adapter.getattr("what")?.extract()?,
            told: adapter.getattr("told")?.extract()?,
            limit: adapter.getattr("timeout")?.extract()?,
            adapter: Arc::new(adapter.to_owned().unbind()),
        })
    }
}

impl Plugin {
    /// Calls a method on a thread that may wait, and waits for it as long as it may take.
    async fn ask<A, T>(&self, method: &'static str, arguments: A) -> Result<T>
    where
        A: for<'py> PyCallArgs<'py> + Send + 'static,
        T: for<'py> FromPyObjectOwned<'py> + Send + 'static,
    {
        self.answer(method, self.begin(method, arguments)).await
    }

    /// Calls a method on a thread that may wait.
    fn begin<A, T>(&self, method: &'static str, arguments: A) -> JoinHandle<Result<T>>
    where
        A: for<'py> PyCallArgs<'py> + Send + 'static,
        T: for<'py> FromPyObjectOwned<'py> + Send + 'static,
    {
        let plugin = self.clone();
        spawn_blocking(move || plugin.call(method, arguments))
    }

    /// The answer of a call that was begun. One that comes too late is not waited for: its thread ends when it does.
    async fn answer<T>(&self, method: &'static str, call: JoinHandle<Result<T>>) -> Result<T> {
        match timeout(self.limit, call).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Error::new(ErrorKind::Protocol, format!("{} broke off in `{method}`", self.what))),
            Err(_) => Err(self.late(method)),
        }
    }

    /// Calls a method that core waits for on the spot.
    fn ask_now<A, T>(&self, method: &'static str, arguments: A) -> Result<T>
    where
        A: for<'py> PyCallArgs<'py> + Send + 'static,
        T: for<'py> FromPyObjectOwned<'py> + Send + 'static,
    {
        let (plugin, (done, answer)) = (self.clone(), std::sync::mpsc::channel());
        std::thread::spawn(move || drop(done.send(plugin.call(method, arguments))));
        answer.recv_timeout(self.limit).unwrap_or_else(|_| Err(self.late(method)))
    }

    fn late(&self, method: &str) -> Error {
        let text = format!("{} gave no answer to `{method}` within {:?}", self.what, self.limit);
        Error::new(ErrorKind::Timeout, text)
    }

    fn call<A, T>(&self, method: &'static str, arguments: A) -> Result<T>
    where
        A: for<'py> PyCallArgs<'py>,
        T: for<'py> FromPyObjectOwned<'py>,
    {
        Python::attach(|py| {
            let answer = self.adapter.bind(py).call_method1(method, arguments);
            let answer = answer.and_then(|answer| answer.extract().map_err(Into::into));
            answer.map_err(|error| plain(py, error))
        })
    }
}

/// A value that a plugin gives.
struct Valued(SecretValue);

impl<'py> FromPyObject<'_, 'py> for Valued {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let value: PyRef<'_, secret_value::SecretValue> = given.extract()?;
        Ok(Self(value.0.clone()))
    }
}

/// The answer of a method that has nothing to say.
pub(crate) struct Done;

impl FromPyObject<'_, '_> for Done {
    type Error = std::convert::Infallible;

    fn extract(_: Borrowed<'_, '_, PyAny>) -> Result<Self, Self::Error> {
        Ok(Self)
    }
}
