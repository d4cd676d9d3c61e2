//! An audit sink: a file that grows by a line for each record.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use swarmsecrets_core::audit::{AuditRecord, AuditSink};
use swarmsecrets_core::{Error, ErrorKind, Result};

/// One JSON record a line.
pub struct Lines(Mutex<File>);

impl Lines {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`] if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
        Ok(Self(Mutex::new(file)))
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Audit, format!("the record is not written: {error}"))
}

#[async_trait]
impl AuditSink for Lines {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        let mut line = serde_json::to_vec(record).map_err(failed)?;
        line.push(b'\n');
        let mut file = self.0.lock().map_err(failed)?;
        // In one piece, so that two processes do not mix their lines; and on the disk, before the mutation is sent.
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(failed)
    }
}
