//! Audit trails: whether they are as they were written, and what stands in them.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use pyo3::prelude::*;
use serde::Serialize;
use swarmsecrets_core::audit::{Query, parse_moment};
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::error::{OrRaise as _, invalid};

/// Which records are asked for, as `swarmsecrets.audit` writes it down.
#[derive(FromPyObject)]
pub(crate) struct AskedRecords {
    secret: Option<String>,
    rotation: Option<String>,
    agent: Option<String>,
    account: Option<String>,
    since: Option<String>,
    until: Option<String>,
    outcome: Option<String>,
    limit: Option<i64>,
}

impl AskedRecords {
    fn query(self) -> Result<Query> {
        let moment = |name: &str, text: Option<String>| {
            text.map(|text| parse_moment(&text)).transpose().map_err(|why| invalid(format!("`{name}`: {why}")))
        };
        let limit = self.limit.map(|limit| {
            let whole = usize::try_from(limit).ok().and_then(NonZeroUsize::new);
            whole.ok_or_else(|| invalid(format!("`limit` is {limit}: ask for one record or more")))
        });
        Ok(Query {
            secret: self.secret.map(|name| name.parse()).transpose()?,
            rotation: self.rotation.map(|id| id.parse()).transpose()?,
            agent: self.agent,
            account: self.account,
            since: moment("since", self.since)?,
            until: moment("until", self.until)?,
            outcome: self.outcome.map(|word| word.parse()).transpose()?,
            limit: limit.transpose()?,
        })
    }
}

/// The document of `audit verify --json`, as JSON.
#[pyfunction]
pub(crate) fn verify_audit(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    py.detach(|| document(&swarmsecrets_host::verify_audit(&path)?)).or_raise(py)
}

/// The document of `audit query --json`, as JSON.
#[pyfunction]
pub(crate) fn query_audit(py: Python<'_>, path: PathBuf, asked: AskedRecords) -> PyResult<String> {
    py.detach(|| document(&swarmsecrets_host::query_audit(&path, &asked.query()?)?)).or_raise(py)
}

fn document(document: &impl Serialize) -> Result<String> {
    let failed = |e| Error::new(ErrorKind::Audit, "what was read cannot be handed over").with_source(e);
    serde_json::to_string(document).map_err(failed)
}
