//! How far a sink that may lag was fed: a small file beside the trail, and a lock, so that one process feeds it at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use swarmsecrets_core::audit::{AuditRecord, Link, Linked, MAX_LINE};
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::audit::shown;
use crate::line_file::{private, whole_lines};
use crate::whole_file::{self, Readers};

/// Longer than any cursor.
const LONGEST: u64 = 4096;

/// The place in a trail up to which a sink has everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cursor {
    schema: u32,
    /// How many records it was sent.
    pub(super) records: u64,
    /// The hash of the last of them.
    hash: String,
    /// Where the next one begins in the file.
    offset: u64,
}

/// Where the cursor of a sink is kept.
#[derive(Clone, Debug)]
pub(super) struct Place {
    trail: PathBuf,
    file: PathBuf,
    lock: PathBuf,
}

impl Place {
    pub(super) fn of(trail: &Path, name: &str) -> Self {
        let beside = |end: &str| trail.with_file_name(format!("audit.{name}.{end}"));
        Self { trail: trail.to_owned(), file: beside("sent"), lock: beside("lock") }
    }

    /// The cursor; before the first record if there is none yet.
    pub(super) fn read(&self) -> Result<Cursor> {
        let bytes = match whole_file::read(&self.file, LONGEST) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let start = Link::default();
                return Ok(Cursor { schema: 1, records: 0, hash: start.hash().to_owned(), offset: 0 });
            }
            read => read.map_err(|e| self.failed("read", e))?,
        };
        let read: Option<Cursor> = serde_json::from_slice(&bytes).ok();
        read.filter(|cursor| cursor.schema == 1).ok_or_else(|| {
            let text = format!(
                "{} does not tell what an audit sink was sent: remove it, and everything is sent anew",
                quoted(&self.file.to_string_lossy())
            );
            Error::new(ErrorKind::Audit, text)
        })
    }

    /// Keeps the cursor.
    pub(super) fn write(&self, cursor: &Cursor) -> Result<()> {
        let bytes = serde_json::to_vec(cursor)
            .map_err(|e| Error::new(ErrorKind::Audit, "a place in the audit trail cannot be encoded").with_source(e))?;
        whole_file::write(&self.file, &bytes, Readers::Owner).map_err(|e| self.failed("write", e))
    }

    /// The right to feed, unless another process has it.
    pub(super) fn take(&self) -> Result<Option<File>> {
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&self.lock);
        let file = file.map_err(|e| self.failed("lock", e))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(self.failed("lock", e)),
        }
    }

    /// At most so many records that follow a place, each with the place after it.
    pub(super) fn next(&self, from: &Cursor, most: usize) -> Result<Vec<(AuditRecord, Cursor)>> {
        let failed = |e: io::Error| {
            Error::new(ErrorKind::Audit, format!("cannot read the {}: {e}", shown(&self.trail))).with_source(e)
        };
        let (lines, _) = whole_lines(&self.trail).map_err(failed)?;
        let whole = lines.limit();
        if whole < from.offset {
            return Err(self.other(from));
        }
        let mut file = lines.into_inner();
        file.seek(SeekFrom::Start(from.offset)).map_err(failed)?;
        let (mut lines, mut at, mut found) = (BufReader::new(file.take(whole - from.offset)), from.clone(), Vec::new());
        while found.len() < most {
            let mut line = Vec::new();
            let length = (&mut lines).take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line).map_err(failed)?;
            if length == 0 {
                break;
            }
            let read: Option<Linked> = serde_json::from_slice(&line).ok();
            let follows = |line: &Linked| line.n == at.records && line.previous == at.hash && Link::at(line).is_ok();
            let Some(line) = read.filter(follows) else { return Err(self.other(&at)) };
            at = Cursor { schema: 1, records: line.n + 1, hash: line.hash, offset: at.offset + length as u64 };
            found.push((line.record, at.clone()));
        }
        Ok(found)
    }

    fn other(&self, at: &Cursor) -> Error {
        let text = format!(
            "audit record {} of the {} does not follow what was sent before it: the trail was changed or exchanged; see \
             `swarmsecrets audit verify`. Once {} is removed, everything is sent anew",
            at.records,
            shown(&self.trail),
            quoted(&self.file.to_string_lossy())
        );
        Error::new(ErrorKind::Audit, text)
    }

    fn failed(&self, doing: &str, error: io::Error) -> Error {
        let text = format!("cannot {doing} {}: {error}", quoted(&self.file.to_string_lossy()));
        Error::new(ErrorKind::Audit, text).with_source(error)
    }
}
