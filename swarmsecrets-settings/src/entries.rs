//! What the files of `--credentials`, `--probes` and `--sources` have alike: TOML with entries, each with settings of one kind, that name
//! other files beside them.

use std::path::Path;

use serde::de::DeserializeOwned;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result};

/// The settings of one entry, by the names that they have in a file.
pub type Settings = serde_json::Map<String, serde_json::Value>;

/// Reads a file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let place = quoted(&path.to_string_lossy());
    let text =
        std::fs::read_to_string(path).map_err(|e| Error::new(ErrorKind::Io, format!("cannot read {place}: {e}")))?;
    toml::from_str(&text).map_err(|e| {
        // The parser's own message shows the line, which names files and users, and no password.
        Error::new(ErrorKind::Invalid, format!("cannot understand {place}: {}", e.to_string().trim()))
    })
}

/// Understands an entry that a program has written.
pub(crate) fn understand<T: DeserializeOwned>(settings: Settings) -> Result<T> {
    serde_json::from_value(settings.into())
        .map_err(|e| Error::new(ErrorKind::Invalid, format!("cannot understand the settings: {e}")))
}

/// The folder that the names of other files in this one start from.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// The certificates of an entry's `ca-file`, if it has one.
pub(crate) fn authority(folder: &Path, file: Option<&Path>) -> Result<Option<Vec<u8>>> {
    file.map(|file| std::fs::read(folder.join(file)))
        .transpose()
        .map_err(|e| Error::new(ErrorKind::Io, format!("cannot read the certificate authority's file: {e}")))
}

/// Settings of one kind that another has no use for are refused, not ignored: each with whether it stands here in vain.
pub(crate) fn refuse_strays(settings: &[(&str, bool)]) -> Result<()> {
    match settings.iter().find(|(_, stray)| *stray) {
        Some((key, _)) => Err(Error::new(ErrorKind::Invalid, format!("`{key}` does not belong here: leave it out"))),
        None => Ok(()),
    }
}
