//! Audit trails: whether they are as they were written, and what stands in them.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use pyo3::prelude::*;
use serde::Serialize;
use swarmsecrets_core::audit::{Query, parse_moment};
use swarmsecrets_core::keys::PublicKey;
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_host::{Checkpoints, read_checkpoint, verify_audit_against};

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
pub(crate) fn verify_audit(
    py: Python<'_>,
    path: PathBuf,
    checkpoints: Vec<PathBuf>,
    key: Option<String>,
) -> PyResult<String> {
    let checked = || {
        let read = match key {
            Some(key) => {
                let key: PublicKey = key.parse()?;
                checkpoints.iter().map(|file| read_checkpoint(file, &key)).collect::<Result<_>>()?
            }
            None if checkpoints.is_empty() => Vec::new(),
            None => return Err(invalid("a checkpoint is believed for its signature alone: give `key` as well")),
        };
        document(&verify_audit_against(&path, read)?)
    };
    py.detach(checked).or_raise(py)
}

/// Signs how far a trail goes, and gives the document that was written.
#[pyfunction]
pub(crate) fn sign_audit(py: Python<'_>, path: PathBuf, key: PathBuf, out: PathBuf) -> PyResult<String> {
    let signed = || {
        let signed = swarmsecrets_host::sign_audit(&path, &Checkpoints::new(&key, out)?)?;
        String::from_utf8(signed.to_json()?).map_err(|e| invalid(format!("the checkpoint cannot be handed over: {e}")))
    };
    py.detach(signed).or_raise(py)
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
