//! One process for each rotation: a lock on a file that goes away with the process, however that ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::Lease;
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::line_file::private;

/// The lock, held until it is dropped.
pub(crate) struct FileLease {
    file: File,
    path: PathBuf,
}

/// Takes the lock, or says who has it.
pub(crate) fn take(path: &Path, rotation: &RotationId) -> Result<FileLease> {
    let failed = |e: io::Error| {
        Error::new(ErrorKind::Journal, format!("cannot lock rotation {rotation} with {}: {e}", path.display()))
            .with_source(e)
    };
    loop {
        let mut file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(rotation, &mut file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let lease = FileLease { file, path: path.to_owned() };
        // Between opening and locking somebody may have removed the file: then others lock another one.
        if lease.held() {
            lease.sign();
            return Ok(lease);
        }
    }
}

fn taken(rotation: &RotationId, file: &mut File) -> Error {
    let mut text = String::new();
    let _ = file.take(20).read_to_string(&mut text);
    let who = match text.trim().parse::<u32>() {
        Ok(process) => format!(" (process {process})"),
        Err(_) => String::new(),
    };
    Error::new(
        ErrorKind::Conflict,
        format!("rotation {rotation} is being carried out by another process{who}: wait for it, or stop it first"),
    )
}

impl FileLease {
    /// Writes who holds it, for the message that others get. Not needed for the lock to work.
    fn sign(&self) {
        let mut file = &self.file;
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    }
}

impl Lease for FileLease {
    /// It is held as long as it lives, unless somebody removed or replaced the file.
    fn held(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let (ours, there) = (self.file.metadata(), fs::metadata(&self.path));
            matches!((ours, there), (Ok(a), Ok(b)) if (a.dev(), a.ino()) == (b.dev(), b.ino()))
        }
        #[cfg(not(unix))]
        fs::exists(&self.path).unwrap_or(false)
    }
}

/// What is handed out: the store keeps an eye on the same lease.
pub(crate) struct Handed(pub(crate) Arc<FileLease>);

impl Lease for Handed {
    fn held(&self) -> bool {
        self.0.held()
    }
}

impl Drop for FileLease {
    /// Takes the signature away, so that it is not read as that of the next holder. The file stays: whoever removed it might
    /// remove one that another process has locked in the meantime.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}
