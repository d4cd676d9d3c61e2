//! Checkpoints of audit trails as files: one document, replaced as a whole.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use swarmsecrets_core::audit::{Checkpoint, Link, Reading};
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::keys::{PublicKey, SigningKey};
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::audit::shown;
use crate::audit_check::read;
use crate::value::read_credential;
use crate::whole_file::{self, Readers};

/// Longer than any checkpoint.
const LONGEST: u64 = 64 * 1024;

/// Where checkpoints of a trail go, and the key that signs them.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    key: Arc<SigningKey>,
    file: PathBuf,
}

impl Checkpoints {
    /// Signs with the key in a file, as `swarmsecrets keygen` writes it, and keeps the last checkpoint in another one.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it holds no key, and those of [`read_credential`].
    pub fn new(key: &Path, file: impl Into<PathBuf>) -> Result<Self> {
        let place = || format!("the key of checkpoints {}", quoted(&key.to_string_lossy()));
        let signing = SigningKey::from_text(read_credential(key)?.expose()).map_err(|e| e.context(place()))?;
        Ok(Self { key: Arc::new(signing), file: file.into() })
    }

    /// The checkpoint that is there, if one is. It must be one of this key.
    pub(crate) fn last(&self) -> Result<Option<Checkpoint>> {
        match read_checkpoint(&self.file, &self.key.public()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Signs this end and puts the checkpoint in the place of the last one. Returns when it is on the disk.
    pub(crate) fn write(&self, end: &Link) -> Result<Checkpoint> {
        let signed = Checkpoint::sign(end, Timestamp::now(), &self.key);
        whole_file::write(&self.file, &signed.to_json()?, Readers::OfTheFolder)
            .map_err(|e| failed("write", &self.file, e))?;
        Ok(signed)
    }
}

/// Reads a checkpoint and checks that this key has signed it.
///
/// # Errors
/// [`ErrorKind::NotFound`] if there is no such file, [`ErrorKind::Invalid`] if it is no checkpoint, [`ErrorKind::Audit`] if it is signed with
/// another key or was changed, or cannot be read.
pub fn read_checkpoint(file: &Path, key: &PublicKey) -> Result<Checkpoint> {
    let bytes = whole_file::read(file, LONGEST).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorKind::NotFound, format!("there is no {}", place(file))),
        _ => failed("read", file, e),
    })?;
    let read = Checkpoint::from_json(&bytes).and_then(|read| read.check(key).map(|()| read));
    read.map_err(|e| e.context(place(file)))
}

/// Checks a whole trail and signs how far it goes. A trail that lacks what the last checkpoint there tells of is not signed: that
/// would hide it. Part of a record at its end is passed over.
///
/// # Errors
/// [`ErrorKind::Audit`] if the trail is not as it was written, was cut off or written anew, or if a file cannot be read or written; those of
/// [`read_checkpoint`] for what stands where the checkpoint goes.
pub fn sign_audit(trail: &Path, checkpoints: &Checkpoints) -> Result<Checkpoint> {
    let last = checkpoints.last()?;
    let read = read(trail, Reading::against(last.into_iter().collect()), |_| {})?;
    if let Some(error) = read.broken {
        return Err(error.context(shown(trail)));
    }
    if let Some(problem) = read.reading.denied() {
        return Err(Error::new(ErrorKind::Audit, problem).context(shown(trail)));
    }
    checkpoints.write(read.reading.end())
}

fn place(file: &Path) -> String {
    format!("checkpoint {}", quoted(&file.to_string_lossy()))
}

fn failed(doing: &str, file: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Audit, format!("cannot {doing} the {}: {error}", place(file))).with_source(error)
}
