//! Which approvals were used, and how late it has been, as files.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;
use swarmsecrets_core::approval::Nonces;
use swarmsecrets_core::ids::Nonce;
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::blocking::blocking;
use crate::line_file::{make_private_folder, private, sync_parent};
use crate::whole_file::{self, Readers};

/// Longer than any time is written.
const LONGEST_TIME: u64 = 64;

/// Keeps spent nonces in `DIR/nonces`, each as a file of its own whose name is the nonce. Several may be open on the same
/// folder, in one process or in many.
///
/// A nonce is spent by making its file, which the system lets one process alone do. The file holds the time when the request
/// expires; after that it may be removed by hand, and is never removed by us. A crash, a full disk or a lost connection to the
/// disk may leave a nonce spent that was not used: then the change is asked for again.
///
/// The latest time that was ever seen stands in `DIR/nonces/latest`. If a clock was far ahead once, no request is good any more
/// until a person writes the right time into that file. The folder must be on a disk of this machine.
#[derive(Clone, Debug)]
pub struct FileNonces {
    folder: PathBuf,
}

impl FileNonces {
    /// Opens the nonces in `dir`, making it for this user alone if it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be made or is no folder.
    pub fn open(dir: &Path) -> Result<Self> {
        let folder = dir.join("nonces");
        make_private_folder(&folder).map_err(|e| failed("make the folder of used approvals", &folder, e))?;
        Ok(Self { folder })
    }
}

#[async_trait]
impl Nonces for FileNonces {
    async fn spend(&self, nonce: &Nonce, until: Timestamp) -> Result<()> {
        let path = self.folder.join(nonce.as_str());
        blocking(ErrorKind::Io, move || spend(&path, until)).await
    }

    async fn latest(&self, now: Timestamp) -> Result<Timestamp> {
        let folder = self.folder.clone();
        blocking(ErrorKind::Io, move || latest(&folder, now)).await
    }
}

fn spend(path: &Path, until: Timestamp) -> Result<()> {
    let mut file = match private(OpenOptions::new().write(true).create_new(true)).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            let text = "the approval was used before, and is good for one use: make another change request";
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        Err(e) => return Err(failed("write down that the approval is used, in", path, e)),
    };
    let written = writeln!(file, "{until}").and_then(|()| file.sync_all()).and_then(|()| sync_parent(path));
    written.map_err(|e| failed("write down that the approval is used, in", path, e))
}

fn latest(folder: &Path, now: Timestamp) -> Result<Timestamp> {
    let (path, lock) = (folder.join("latest"), folder.join("latest.lock"));
    // Held until the end: of two processes the later time stays.
    let held = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&lock);
    let held = held.and_then(|file| file.lock().map(|()| file)).map_err(|e| failed("lock", &lock, e))?;
    let seen = match whole_file::read(&path, LONGEST_TIME) {
        Ok(bytes) => Some(time(&path, &bytes)?),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(failed("read the latest time that was seen from", &path, e)),
    };
    let latest = seen.map_or(now, |seen| seen.max(now));
    if seen != Some(latest) {
        let line = format!("{latest}\n");
        whole_file::write(&path, line.as_bytes(), Readers::Owner)
            .map_err(|e| failed("write the latest time that was seen to", &path, e))?;
    }
    drop(held);
    Ok(latest)
}

fn time(path: &Path, bytes: &[u8]) -> Result<Timestamp> {
    let time = std::str::from_utf8(bytes).ok().and_then(|text| text.trim_end().parse().ok());
    time.ok_or_else(|| {
        let text = format!(
            "{} holds no time: it was damaged or changed; find out why, then write the present time into it, such as 2026-05-07T21:09:36Z",
            path.display()
        );
        Error::new(ErrorKind::Io, text)
    })
}

fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot {doing} {}: {error}", path.display())).with_source(error)
}
