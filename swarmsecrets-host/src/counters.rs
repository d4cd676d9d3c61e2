//! What limits have counted, as files.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::policy::{Beginning, Counters, Held, Ledger};
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::blocking::blocking;
use crate::line_file::{make_private_folder, private};
use crate::whole_file::{self, Readers};

/// Longer than any that limits can fill.
const LONGEST: u64 = 256 << 20;

/// Keeps what limits have counted in `DIR/limits/counts.json`, and that of simulations in `DIR/simulated/limits`. Several may be
/// open on the same folder, in one process or in many: whoever counts holds the lock on `counts.lock`, and the file is
/// replaced as a whole.
///
/// A rotation that is about to begin holds a lock on a file of its own, `<id>.lock`. Where its process dies before that has
/// begun, the lock goes with it, and its place is free. One that has begun has its place until it ends.
///
/// The latest time that was ever seen stands in the file too. If a clock was far ahead once, limits look back from that time until a
/// person removes the file, and with it all that was counted. The folder must be on a disk of this machine. It is made when something
/// is counted for the first time.
#[derive(Clone, Debug)]
pub struct FileCounters {
    state: PathBuf,
}

impl FileCounters {
    /// The counts in `dir`.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { state: dir.into() }
    }

    fn folder(&self, simulated: bool) -> Folder {
        let state = if simulated { self.state.join("simulated") } else { self.state.clone() };
        Folder(state.join("limits"))
    }
}

#[async_trait]
impl Counters for FileCounters {
    async fn begin(&self, beginning: Beginning) -> Result<Box<dyn Held>> {
        let folder = self.folder(beginning.simulated);
        blocking(ErrorKind::Io, move || folder.begin(&beginning)).await.map(|place| Box::new(place) as Box<dyn Held>)
    }

    async fn end(&self, rotation: &RotationId, simulated: bool) -> Result<()> {
        let (folder, rotation) = (self.folder(simulated), rotation.clone());
        blocking(ErrorKind::Io, move || folder.end(&rotation)).await
    }
}

/// Where one world is counted.
#[derive(Clone)]
struct Folder(PathBuf);

/// A place that is not kept yet.
struct FilePlace {
    folder: Folder,
    rotation: RotationId,
    /// Its lock goes away with it.
    _lock: File,
}

#[async_trait]
impl Held for FilePlace {
    async fn keep(self: Box<Self>) -> Result<()> {
        blocking(ErrorKind::Io, move || {
            let _held = self.folder.lock()?;
            let mut ledger = self.folder.read()?;
            ledger.keep(&self.rotation);
            self.folder.write(&ledger)?;
            // One that stays is in nobody's way.
            let _ = fs::remove_file(self.folder.place(&self.rotation));
            Ok(())
        })
        .await
    }
}

impl Folder {
    fn begin(self, beginning: &Beginning) -> Result<FilePlace> {
        make_private_folder(&self.0).map_err(|e| failed("make the folder of what limits count", &self.0, e))?;
        let _held = self.lock()?;
        let mut ledger = self.read()?;
        let counted = ledger.begin(beginning, |rotation| self.is_held(rotation));
        if counted.is_err() {
            // The time that it was told is remembered all the same. Where it cannot be written, the refusal stands.
            let _ = self.write(&ledger);
        }
        counted?;
        // Before it is written down: others must not take it for the place of a process that is gone.
        let path = self.place(&beginning.rotation);
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path);
        let lock = file.and_then(|file| file.lock().map(|()| file)).map_err(|e| failed("lock", &path, e))?;
        self.write(&ledger)?;
        Ok(FilePlace { folder: self, rotation: beginning.rotation.clone(), _lock: lock })
    }

    fn end(&self, rotation: &RotationId) -> Result<()> {
        // Nothing was ever counted.
        if matches!(fs::symlink_metadata(&self.0), Err(e) if e.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
        let _held = self.lock()?;
        let mut ledger = self.read()?;
        if ledger.end(rotation) { self.write(&ledger) } else { Ok(()) }
    }

    /// Held until it is dropped: one counts at a time.
    fn lock(&self) -> Result<File> {
        let path = self.0.join("counts.lock");
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path);
        file.and_then(|file| file.lock().map(|()| file)).map_err(|e| failed("lock", &path, e))
    }

    fn read(&self) -> Result<Ledger> {
        let path = self.0.join("counts.json");
        match whole_file::read(&path, LONGEST) {
            Ok(bytes) => Ledger::from_json(&bytes).map_err(|e| {
                let text = format!(
                    "cannot read what limits have counted from {}: find out why, then put a copy back, or remove it and begin to count anew",
                    path.display()
                );
                e.context(text)
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Ledger::default()),
            Err(e) => Err(failed("read what limits have counted from", &path, e)),
        }
    }

    fn write(&self, ledger: &Ledger) -> Result<()> {
        let path = self.0.join("counts.json");
        let written = whole_file::write(&path, &ledger.to_json()?, Readers::Owner);
        written.map_err(|e| failed("write what limits have counted to", &path, e))
    }

    fn place(&self, rotation: &RotationId) -> PathBuf {
        self.0.join(format!("{rotation}.lock"))
    }

    /// Whether a process holds the place of a rotation that is about to begin. What cannot be told is held.
    fn is_held(&self, rotation: &RotationId) -> bool {
        let path = self.place(rotation);
        match OpenOptions::new().write(true).open(&path).map(|file| file.try_lock()) {
            Ok(Ok(())) => {
                let _ = fs::remove_file(&path);
                false
            }
            Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) => true,
            Err(e) => e.kind() != io::ErrorKind::NotFound,
        }
    }
}

fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot {doing} {}: {error}", path.display())).with_source(error)
}
