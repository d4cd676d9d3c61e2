//! The audit trail as a file: one JSON record a line, each bound to the one before by its hash.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use swarmsecrets_core::audit::{AuditRecord, AuditSink, Link, Linked, MAX_LINE};
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::blocking::blocking;
use crate::checkpoint::Checkpoints;
use crate::line_file::{self, LineFile};

/// Appends to `DIR/audit.jsonl`. Several processes may do so at once: each waits for the other and goes on from its record.
#[derive(Clone, Debug)]
pub struct FileAudit {
    trail: Arc<Mutex<Trail>>,
    path: PathBuf,
    /// How many records there are. Beside the trail, so that nobody who asks waits for the disk.
    records: Arc<AtomicU64>,
}

/// The file and how far we know it.
#[derive(Debug)]
struct Trail {
    path: PathBuf,
    end: Link,
    /// Where `end` ends in the file.
    known: u64,
    /// How much was cut off.
    cut: u64,
    checkpoints: Option<Checkpoints>,
}

impl FileAudit {
    /// Opens the trail in `dir`, making both if they are not there, and checks its last record. Part of a record at the end
    /// is cut off: it was never acknowledged, so nothing was done on the strength of it.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`] if the file cannot be written or its last record is not what was once written there.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join("audit.jsonl");
        line_file::make_private_folder(dir).map_err(|e| failed("make the folder of", &path, e))?;
        let (mut file, cut) = LineFile::take(&path).map_err(|e| failed("open", &path, e))?;
        let end = match file.last().map_err(|e| failed("read", &path, e))? {
            Some(line) => parse(&path, &line).and_then(|line| Link::at(&line)).map_err(|e| e.context(shown(&path)))?,
            None => Link::default(),
        };
        let records = Arc::new(AtomicU64::new(end.records()));
        let mut trail = Trail { path: path.clone(), end, known: file.end(), cut: 0, checkpoints: None };
        trail.note_cut(cut);
        Ok(Self { trail: Arc::new(Mutex::new(trail)), path, records })
    }

    /// The same trail, whose end is signed after each record. A record whose end could not be signed was not taken. What the last
    /// checkpoint tells of must still be there: this is looked at now, without reading the whole trail.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`] if the trail is shorter than the last checkpoint says or ends in another record, and those of
    /// [`read_checkpoint`](crate::read_checkpoint).
    pub fn signed(self, checkpoints: Checkpoints) -> Result<Self> {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner).sign(checkpoints)?;
        Ok(self)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many records it has, as far as this process knows.
    pub(crate) fn records(&self) -> u64 {
        self.records.load(Ordering::Acquire)
    }

    /// How many bytes of records that were written in part were cut off. Say so to the user if it is not 0.
    #[must_use]
    pub fn cut_bytes(&self) -> u64 {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner).cut
    }
}

#[async_trait]
impl AuditSink for FileAudit {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        let (trail, known, record) = (Arc::clone(&self.trail), Arc::clone(&self.records), record.clone());
        blocking(ErrorKind::Audit, move || {
            // What a panic leaves behind is sound: what is known of the file changes last.
            let mut trail = trail.lock().unwrap_or_else(PoisonError::into_inner);
            let appended = trail.append(&record);
            known.store(trail.end.records(), Ordering::Release);
            appended
        })
        .await
    }
}

impl Trail {
    fn append(&mut self, record: &AuditRecord) -> Result<()> {
        let (mut file, cut) = LineFile::take(&self.path).map_err(|e| failed("open", &self.path, e))?;
        self.note_cut(cut);
        self.catch_up(&mut file).map_err(|e| e.context(shown(&self.path)))?;
        let line = self.end.line(record)?;
        let end = self.end.after(&line)?;
        let bytes = serde_json::to_vec(&line)
            .map_err(|e| Error::new(ErrorKind::Audit, "the audit record cannot be encoded").with_source(e))?;
        if bytes.len() > MAX_LINE {
            let why = format!("the record has {} bytes, more than {MAX_LINE}: shorten the reason", bytes.len());
            return Err(Error::new(ErrorKind::Audit, why).context(shown(&self.path)));
        }
        file.append(&bytes).map_err(|e| failed("write", &self.path, e))?;
        (self.end, self.known) = (end, file.end());
        // While the file is taken: of two processes, the one that wrote last signs last.
        self.checkpoints.as_ref().map_or(Ok(()), |checkpoints| checkpoints.write(&self.end).map(drop))
    }

    /// Has the end signed from now on, if it is not before that of the last checkpoint.
    fn sign(&mut self, checkpoints: Checkpoints) -> Result<()> {
        // Taken, so that nobody writes a record and its checkpoint between the two looks.
        let (mut file, cut) = LineFile::take(&self.path).map_err(|e| failed("open", &self.path, e))?;
        self.note_cut(cut);
        self.catch_up(&mut file).map_err(|e| e.context(shown(&self.path)))?;
        if let Some(last) = checkpoints.last()? {
            let (has, had) = (self.end.records(), last.records());
            if has < had || (has == had && self.end.hash() != last.hash()) {
                let text = format!(
                    "the {} has {has} records and does not end as its checkpoint of {} says, which tells of {had}: it was cut off \
                     or exchanged; see `swarmsecrets audit verify`, and find out by whom before anything else is changed",
                    shown(&self.path),
                    last.at()
                );
                return Err(Error::new(ErrorKind::Audit, text));
            }
        }
        self.checkpoints = Some(checkpoints);
        Ok(())
    }

    /// Checks what others have appended since.
    fn catch_up(&mut self, file: &mut LineFile) -> Result<()> {
        if file.end() < self.known {
            let why = "it is shorter than it was: records were removed, or the file was replaced";
            return Err(Error::new(ErrorKind::Audit, why));
        }
        let new = file.from(self.known).map_err(|e| failed("read", &self.path, e))?;
        let mut end = self.end.clone();
        for line in new.split_inclusive(|b| *b == b'\n') {
            end = end.after(&parse(&self.path, line)?)?;
        }
        (self.end, self.known) = (end, file.end());
        Ok(())
    }

    fn note_cut(&mut self, cut: u64) {
        if cut > 0 {
            tracing::warn!(path = %self.path.display(), cut, "cut off an audit record that had been written in part");
            self.cut += cut;
        }
    }
}

fn parse(path: &Path, line: &[u8]) -> Result<Linked> {
    serde_json::from_slice(line).map_err(|e| {
        let message = format!("{} holds a line that is no audit record: it was damaged or changed", shown(path));
        Error::new(ErrorKind::Audit, message).with_source(e)
    })
}

pub(crate) fn shown(path: &Path) -> String {
    format!("audit trail {}", path.display())
}

pub(crate) fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Audit, format!("cannot {doing} the {}: {error}", shown(path))).with_source(error)
}
