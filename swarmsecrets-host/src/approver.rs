//! Change requests and the decisions on them as files in a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use swarmsecrets_core::approval::{Approver, ChangeRequest, Given, SignedDecision};
use swarmsecrets_core::ids::RequestDigest;
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::blocking::blocking;
use crate::line_file::make_private_folder;
use crate::whole_file::{self, Readers};

/// So many decisions on one request are read at most.
const MOST_DECISIONS: usize = 64;
/// Longest decision, in bytes.
const LONGEST_DECISION: u64 = 64 * 1024;
/// Longest request, in bytes: a plan of some ten thousand services.
const LONGEST_REQUEST: u64 = 64 * 1024 * 1024;

/// Puts change requests into a folder and takes the decisions on them from there.
///
/// | file | what it is |
/// | --- | --- |
/// | `<digest>.request.json` | a [`ChangeRequest`] |
/// | `<digest>.*.decision.json` | a [`SignedDecision`] on it; what stands for `*` does not matter |
///
/// How they get from one machine to another is up to those who use it. The folder need not be trusted: what is believed is
/// signed. Whoever can write to it can keep a request from being approved. A folder that is not there is made for this user
/// alone; where it was made for several people, requests and decisions may be read by those who may read it.
#[derive(Clone, Debug)]
pub struct FileApprover {
    folder: PathBuf,
    name: String,
}

impl FileApprover {
    /// Uses `folder`, making it for this user alone if it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be made or is no folder.
    pub fn open(folder: &Path) -> Result<Self> {
        make_private_folder(folder).map_err(|e| failed("make the folder of change requests", folder, e))?;
        Ok(Self { folder: folder.to_owned(), name: format!("the folder {}", folder.display()) })
    }

    /// The file of a request, there or not.
    #[must_use]
    pub fn path(&self, request: &RequestDigest) -> PathBuf {
        self.folder.join(format!("{request}.request.json"))
    }

    /// Reads the request with this digest, for those who decide on it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none; [`ErrorKind::Invalid`] if it was changed or is another one; [`ErrorKind::Io`].
    pub async fn load(&self, request: &RequestDigest) -> Result<ChangeRequest> {
        let (path, wanted) = (self.path(request), request.clone());
        blocking(ErrorKind::Io, move || load(&path, &wanted)).await
    }

    /// Puts a decision into the folder, as `<digest>.<key>-<approve or deny>.decision.json`: what the same key said otherwise
    /// before stays.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be written.
    pub async fn answer(&self, decision: &SignedDecision) -> Result<()> {
        let (about, key, word) = (decision.request(), decision.key(), decision.decision().word());
        let path = self.folder.join(format!("{about}.{key}-{word}.decision.json"));
        let json = decision.to_json()?;
        let write = move || {
            whole_file::write(&path, &json, Readers::OfTheFolder).map_err(|e| failed("write the decision", &path, e))
        };
        blocking(ErrorKind::Io, write).await
    }
}

#[async_trait]
impl Approver for FileApprover {
    async fn request(&self, request: &ChangeRequest) -> Result<()> {
        let (path, json) = (self.path(request.digest()), request.to_json()?);
        let write = move || match whole_file::read(&path, LONGEST_REQUEST) {
            Ok(there) if there == json => Ok(()),
            // What stands there under the request's own name and is not the request is put right.
            _ => whole_file::write(&path, &json, Readers::OfTheFolder)
                .map_err(|e| failed("write the change request", &path, e)),
        };
        blocking(ErrorKind::Io, write).await
    }

    async fn decisions(&self, request: &ChangeRequest) -> Result<Vec<Given>> {
        let (folder, digest) = (self.folder.clone(), request.digest().clone());
        let found = blocking(ErrorKind::Io, move || decisions(&folder, &digest)).await?;
        Ok(found.into_iter().map(Given::Signed).collect())
    }

    fn name(&self) -> &str {
        &self.name
    }
}

fn load(path: &Path, wanted: &RequestDigest) -> Result<ChangeRequest> {
    let bytes = match whole_file::read(path, LONGEST_REQUEST) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no change request {}", path.display())));
        }
        Err(e) => return Err(failed("read the change request", path, e)),
    };
    let request = ChangeRequest::from_json(&bytes).map_err(|e| e.context(path.display()))?;
    if request.digest() == wanted {
        return Ok(request);
    }
    let text = format!("{} holds another change request, {}: remove it", path.display(), request.digest());
    Err(Error::new(ErrorKind::Invalid, text))
}

/// The decisions by the names of their files, so that an error names the same one each time.
fn decisions(folder: &Path, digest: &RequestDigest) -> Result<Vec<SignedDecision>> {
    let list = |e| failed("list the decisions in", folder, e);
    let prefix = format!("{digest}.");
    let mut found = Vec::new();
    for file in fs::read_dir(folder).map_err(list)? {
        let path = file.map_err(list)?.path();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let rest = name.strip_prefix(prefix.as_bytes()).and_then(|rest| rest.strip_suffix(b".decision.json"));
        if rest.is_some_and(|rest| !rest.is_empty()) {
            found.push(path);
        }
    }
    if found.len() > MOST_DECISIONS {
        let text = format!(
            "{} holds {} decisions on the change request {digest}, and {MOST_DECISIONS} are read at most: remove those that are none",
            folder.display(),
            found.len()
        );
        return Err(Error::new(ErrorKind::TooLarge, text));
    }
    found.sort();
    found.iter().map(|path| decision(path)).collect()
}

fn decision(path: &Path) -> Result<SignedDecision> {
    let bytes = whole_file::read(path, LONGEST_DECISION).map_err(|e| {
        let kind = if e.kind() == io::ErrorKind::FileTooLarge { ErrorKind::TooLarge } else { ErrorKind::Io };
        Error::new(kind, format!("cannot read the decision {}: {e}", path.display())).with_source(e)
    })?;
    SignedDecision::from_json(&bytes).map_err(|e| e.context(path.display()))
}

fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot {doing} {}: {error}", path.display())).with_source(error)
}
