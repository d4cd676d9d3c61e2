//! An approver: a folder that the people share. A request is a text in it; whoever decides leaves a file beside it, which the file
//! server has named for them. It signs nothing: the policy says whose its accounts are, and who can write to the folder can approve.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;
use swarmsecrets_core::approval::{Approver, ChangeRequest, Given, ReadBack, Verdict};
use swarmsecrets_core::{Error, ErrorKind, Result};

/// `DIGEST/request.txt`, and `DIGEST/ACCOUNT.approve` or `DIGEST/ACCOUNT.deny`.
pub struct Shared(pub PathBuf);

impl Shared {
    fn folder(&self, request: &ChangeRequest) -> PathBuf {
        self.0.join(request.digest().as_str())
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Io, format!("the shared folder: {error}"))
}

fn decided(request: &ChangeRequest, file: &Path) -> Result<Option<Given>> {
    let verdict = match file.extension().and_then(|word| word.to_str()) {
        Some("approve") => Verdict::Approve,
        Some("deny") => Verdict::Deny,
        _ => return Ok(None),
    };
    let account = file.file_stem().and_then(|account| account.to_str()).ok_or_else(|| failed("a name is no text"))?;
    let written = file.metadata().and_then(|data| data.modified()).map_err(failed)?;
    let at = Timestamp::try_from(written).map_err(failed)?;
    Ok(Some(ReadBack::new(request.digest().clone(), verdict, account, at, "the shared folder")?.into()))
}

#[async_trait]
impl Approver for Shared {
    fn name(&self) -> &str {
        "the shared folder"
    }

    async fn request(&self, request: &ChangeRequest) -> Result<()> {
        std::fs::create_dir_all(self.folder(request)).map_err(failed)?;
        std::fs::write(self.folder(request).join("request.txt"), request.text()).map_err(failed)
    }

    async fn decisions(&self, request: &ChangeRequest) -> Result<Vec<Given>> {
        let files = match self.folder(request).read_dir() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.map_err(failed)?,
        };
        let mut found = Vec::new();
        for file in files {
            found.extend(decided(request, &file.map_err(failed)?.path())?);
        }
        Ok(found)
    }
}
