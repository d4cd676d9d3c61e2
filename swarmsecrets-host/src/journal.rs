//! Journals as files: one for each rotation, one JSON entry a line.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{Entry, FORMAT, Journal, JournalStore, Lease};
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::blocking::blocking;
use crate::lease::{self, FileLease, Handed};
use crate::line_file::{self, LineFile};

/// Keeps journals in `DIR/rotations`. Several may be open on the same folder, in one process or in many; clones share the
/// leases that they took.
///
/// A lease is a lock that the system holds on a file for the process (`flock`), so it ends with the process, however that
/// ends, and a file that a dead one left behind is in nobody's way. It is lost only if somebody removes or replaces the file.
/// The folder must be on a disk of this machine: over a network, locks and their ends are not reliable. For several hosts there is
/// the store in PostgreSQL.
#[derive(Clone, Debug)]
pub struct FileJournal {
    folder: PathBuf,
    taken: Arc<Mutex<BTreeMap<RotationId, Weak<FileLease>>>>,
}

/// What every version of an entry has.
#[derive(Deserialize)]
struct Place {
    v: u32,
    n: u64,
    at: Timestamp,
}

impl FileJournal {
    /// Opens the journals in `dir`, making it for this user alone if it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Journal`] if it cannot be made or is no folder.
    pub fn open(dir: &Path) -> Result<Self> {
        let folder = dir.join("rotations");
        line_file::make_private_folder(&folder).map_err(|e| failed("make the journal's folder", &folder, e))?;
        Ok(Self { folder, taken: Arc::default() })
    }

    /// The file of a rotation's journal, there or not.
    #[must_use]
    pub fn path(&self, rotation: &RotationId) -> PathBuf {
        self.folder.join(format!("{rotation}.jsonl"))
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<RotationId, Weak<FileLease>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses whoever has lost the lease that this store gave out.
    fn check_lease(&self, rotation: &RotationId) -> Result<()> {
        let lease = self.taken().get(rotation).and_then(Weak::upgrade);
        if lease.is_some_and(|lease| !lease.held()) {
            let text = format!(
                "the lock on rotation {rotation} was removed: another process may have taken the rotation over"
            );
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        Ok(())
    }
}

#[async_trait]
impl JournalStore for FileJournal {
    async fn append(&self, rotation: &RotationId, entry: &Entry) -> Result<()> {
        self.check_lease(rotation)?;
        let path = self.path(rotation);
        let line = serde_json::to_vec(entry)
            .map_err(|e| Error::new(ErrorKind::Journal, "the journal's entry cannot be encoded").with_source(e))?;
        let (v, n) = (entry.v, entry.n);
        if v != FORMAT {
            return Err(Error::new(ErrorKind::Journal, format!("journal format {v} cannot be written, only {FORMAT}")));
        }
        blocking(ErrorKind::Journal, move || append(&path, n, &line)).await
    }

    async fn load(&self, rotation: &RotationId) -> Result<Journal> {
        let (path, rotation) = (self.path(rotation), rotation.clone());
        blocking(ErrorKind::Journal, move || load(&path, &rotation)).await
    }

    async fn list(&self) -> Result<Vec<RotationId>> {
        let folder = self.folder.clone();
        blocking(ErrorKind::Journal, move || list(&folder)).await
    }

    async fn lock(&self, rotation: &RotationId) -> Result<Box<dyn Lease>> {
        let (path, wanted) = (self.folder.join(format!("{rotation}.lock")), rotation.clone());
        let lease = blocking(ErrorKind::Journal, move || lease::take(&path, &wanted).map(Arc::new)).await?;
        self.taken().insert(rotation.clone(), Arc::downgrade(&lease));
        Ok(Box::new(Handed(lease)))
    }
}

fn append(path: &Path, n: u64, line: &[u8]) -> Result<()> {
    let write = |e| failed("write the journal", path, e);
    let (mut file, torn) = LineFile::take(path).map_err(write)?;
    if torn > 0 {
        tracing::warn!(path = %path.display(), torn, "cut off an entry that had been written in part");
    }
    let next = match file.last().map_err(write)? {
        None => 0,
        Some(last) => place(&last).map_err(|e| damaged(path, "its last line", e))?.n.saturating_add(1),
    };
    if n != next {
        return Err(Error::new(
            ErrorKind::Journal,
            format!("journal {} goes on with entry {next}, not {n}: another process writes to it", path.display()),
        ));
    }
    file.append(line).map_err(write)
}

fn load(path: &Path, rotation: &RotationId) -> Result<Journal> {
    let (bytes, torn_bytes) = match line_file::read(path) {
        Ok(read) => read,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no journal of rotation {rotation}")));
        }
        Err(e) => return Err(failed("read the journal", path, e)),
    };
    let lines = bytes.split(|b| *b == b'\n').take(bytes.iter().filter(|b| **b == b'\n').count());
    let entries = lines.zip(0..).map(|(line, n)| entry(path, line, n)).collect::<Result<_>>()?;
    Ok(Journal { entries, torn_bytes })
}

fn entry(path: &Path, line: &[u8], n: u64) -> Result<Entry> {
    let wher = format!("line {}", n + 1);
    let place = place(line).map_err(|e| damaged(path, &wher, e))?;
    if place.v != FORMAT {
        return Err(Error::new(
            ErrorKind::Journal,
            format!(
                "journal {}, {wher}: format {} is not known, only {FORMAT}: use the version that wrote it, or a newer one",
                path.display(),
                place.v
            ),
        ));
    }
    if place.n != n {
        return Err(Error::new(
            ErrorKind::Journal,
            format!(
                "journal {}, {wher}: entry {} stands where {n} should be: lines were lost or added",
                path.display(),
                place.n
            ),
        ));
    }
    serde_json::from_slice(line).map_err(|e| damaged(path, &wher, e))
}

fn place(line: &[u8]) -> serde_json::Result<Place> {
    serde_json::from_slice(line)
}

/// The rotations whose journal has a whole first entry, by the time in it.
fn list(folder: &Path) -> Result<Vec<RotationId>> {
    let read = |e| failed("list the journals", folder, e);
    let mut found = Vec::new();
    for file in fs::read_dir(folder).map_err(read)? {
        let path = file.map_err(read)?.path();
        if let Some((at, rotation)) = first(&path)? {
            found.push((at, rotation));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, rotation)| rotation).collect())
}

fn first(path: &Path) -> Result<Option<(Timestamp, RotationId)>> {
    let name = path.file_name().and_then(|name| name.to_str());
    let Some(rotation) = name.and_then(|name| name.strip_suffix(".jsonl")).and_then(|id| id.parse().ok()) else {
        return Ok(None);
    };
    let mut line = Vec::new();
    fs::File::open(path)
        .and_then(|file| BufReader::new(file).read_until(b'\n', &mut line))
        .map_err(|e| failed("read the journal", path, e))?;
    if line.pop() != Some(b'\n') {
        return Ok(None);
    }
    let place = place(&line).map_err(|e| damaged(path, "line 1", e))?;
    Ok(Some((place.at, rotation)))
}

fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Journal, format!("cannot {doing} {}: {error}", path.display())).with_source(error)
}

fn damaged(path: &Path, wher: &str, error: serde_json::Error) -> Error {
    Error::new(
        ErrorKind::Journal,
        format!("journal {}, {wher}: damaged: restore it from a backup, or look at the Swarm yourself", path.display()),
    )
    .with_source(error)
}
