//! Which values secrets have had, as files.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::policy::{KnownValue, Past, PastValues, ValuesOf};
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::blocking::blocking;
use crate::line_file::{make_private_folder, private};
use crate::whole_file::{self, Readers};

/// Longer than any secret's past.
const LONGEST: u64 = 1 << 20;

/// Keeps which values secrets have had in `DIR/values`, a file for each secret, and those of simulations in `DIR/simulated/values`. They hold
/// keyed fingerprints and no values. Several may be open on the same folder, in one process or in many: whoever adds something holds the
/// lock on `values.lock`, and files are replaced as a whole.
///
/// A file does not grow without end: the last hundred rotations of the secret stand in it. That of a secret which is gone is in nobody's
/// way, and may be removed by hand. The folder must be on a disk of this machine. It is made when something is remembered for the first
/// time.
#[derive(Clone, Debug)]
pub struct FilePast {
    state: PathBuf,
}

impl FilePast {
    /// The values in `dir`.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { state: dir.into() }
    }

    fn page(&self, of: &ValuesOf) -> Page {
        let state = if of.simulated { self.state.join("simulated") } else { self.state.clone() };
        let folder = state.join("values");
        Page { path: folder.join(format!("{}.json", of.digest())), folder, of: of.clone() }
    }
}

#[async_trait]
impl PastValues for FilePast {
    async fn past(&self, of: &ValuesOf) -> Result<Past> {
        let page = self.page(of);
        blocking(ErrorKind::Io, move || page.read()).await
    }

    async fn remember(&self, of: &ValuesOf, rotation: &RotationId, value: KnownValue, last: u32) -> Result<()> {
        let (page, rotation) = (self.page(of), rotation.clone());
        blocking(ErrorKind::Io, move || page.remember(&rotation, value, last)).await
    }

    async fn forget(&self, of: &ValuesOf, rotation: &RotationId) -> Result<()> {
        let (page, rotation) = (self.page(of), rotation.clone());
        blocking(ErrorKind::Io, move || page.forget(&rotation)).await
    }
}

/// Where the values of one secret stand.
struct Page {
    folder: PathBuf,
    path: PathBuf,
    of: ValuesOf,
}

impl Page {
    fn remember(&self, rotation: &RotationId, value: KnownValue, last: u32) -> Result<()> {
        make_private_folder(&self.folder).map_err(|e| failed("make the folder of earlier values", &self.folder, e))?;
        let _held = self.lock()?;
        let before = self.read()?;
        let mut past = before.clone();
        past.remember(&self.of, rotation, value, last)?;
        if past == before { Ok(()) } else { self.write(&past) }
    }

    fn forget(&self, rotation: &RotationId) -> Result<()> {
        // Nothing was ever remembered.
        if matches!(fs::symlink_metadata(&self.path), Err(e) if e.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
        let _held = self.lock()?;
        let mut past = self.read()?;
        if past.forget(rotation) { self.write(&past) } else { Ok(()) }
    }

    /// Held until it is dropped: one adds something at a time.
    fn lock(&self) -> Result<File> {
        let path = self.folder.join("values.lock");
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path);
        file.and_then(|file| file.lock().map(|()| file)).map_err(|e| failed("lock", &path, e))
    }

    fn read(&self) -> Result<Past> {
        match whole_file::read(&self.path, LONGEST) {
            Ok(bytes) => Past::from_json(&self.of, &bytes).map_err(|e| {
                let text = format!(
                    "cannot read which values `{}` has had from {}: find out why, then put a copy back, or remove it and begin anew",
                    self.of.secret,
                    self.path.display()
                );
                e.context(text)
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Past::default()),
            Err(e) => Err(failed("read earlier values from", &self.path, e)),
        }
    }

    fn write(&self, past: &Past) -> Result<()> {
        let written = whole_file::write(&self.path, &past.to_json(&self.of)?, Readers::Owner);
        written.map_err(|e| failed("write down what a value is known by, in", &self.path, e))
    }
}

fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot {doing} {}: {error}", path.display())).with_source(error)
}
