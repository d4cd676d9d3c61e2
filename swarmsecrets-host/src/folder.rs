//! Values that other programs keep in files: what Vault's agent renders, what a CSI driver mounts, what an operator puts there.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::source::SecretSource;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::blocking::blocking;
use crate::value::read_value_from;

/// A folder of files that each hold a value, to the last byte. A reference is a path in it, such as `prod/db_password`.
///
/// Files have no versions, so a version is what the system tells of a file: when it was written and changed, and which one it
/// is. A file that is written anew, or exchanged for another one, is another version, and the version before is not kept. File
/// systems tell times to some milliseconds: write a file at most once in that time, or exchange it for a new one.
/// What a symbolic link leads to must be in the folder too.
#[derive(Clone, Debug)]
pub struct FolderSource {
    name: String,
    folder: PathBuf,
}

impl FolderSource {
    /// The folder, as a source of this name. Nothing is read yet.
    #[must_use]
    pub fn new(name: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), folder: folder.into() }
    }

    async fn read<T: Send + 'static>(
        &self,
        reference: &str,
        read: impl FnOnce(File, &str) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (folder, reference) = (self.folder.clone(), reference.to_owned());
        blocking(ErrorKind::Io, move || read(open(&folder, &reference)?, &reference)).await
    }
}

#[async_trait]
impl SecretSource for FolderSource {
    fn name(&self) -> &str {
        &self.name
    }

    async fn current(&self, reference: &str) -> Result<String> {
        self.read(reference, version).await
    }

    async fn fetch(&self, reference: &str, wanted: &str) -> Result<SecretValue> {
        let wanted = wanted.to_owned();
        self.read(reference, move |file, reference| {
            let is_wanted = |file: &File| version(file.try_clone().map_err(|e| unreadable(reference, e))?, reference);
            let kept = is_wanted(&file)? == wanted;
            let value = kept.then(|| read_value_from(&file, &quoted(reference))).transpose()?;
            // One that is being written is told by its time, which has then moved.
            match value.filter(|_| is_wanted(&file).is_ok_and(|now| now == wanted)) {
                Some(value) => Ok(value.value),
                None => {
                    let text = format!("{} was written since then: plan anew", quoted(reference));
                    Err(Error::new(ErrorKind::NotFound, text))
                }
            }
        })
        .await
    }
}

fn open(folder: &Path, reference: &str) -> Result<File> {
    let path = Path::new(reference);
    if reference.is_empty() || !path.components().all(|part| matches!(part, Component::Normal(_))) {
        let text = format!("{} is no path within the folder: write it as `prod/db_password`", quoted(reference));
        return Err(Error::new(ErrorKind::Invalid, text));
    }
    let real = |path: &Path| path.canonicalize().map_err(|e| unreadable(reference, e));
    let (folder, path) = (real(folder)?, real(&folder.join(path))?);
    if !path.starts_with(&folder) {
        let text = format!("{} leads out of the folder, by a symbolic link", quoted(reference));
        return Err(Error::new(ErrorKind::Invalid, text));
    }
    let file = File::open(&path).map_err(|e| unreadable(reference, e))?;
    match file.metadata() {
        Ok(data) if data.is_file() => Ok(file),
        Ok(_) => Err(Error::new(ErrorKind::Invalid, format!("{} is no file", quoted(reference)))),
        Err(error) => Err(unreadable(reference, error)),
    }
}

/// Nothing of the value, not even its length: a version stands in plans and labels.
fn version(file: File, reference: &str) -> Result<String> {
    let told = || {
        let data = file.metadata()?;
        let written = data.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(format!("{}.{:09}{}", written.as_secs(), written.subsec_nanos(), which(&data)))
    };
    told().map_err(|e| unreadable(reference, e))
}

/// When anything of the file was changed, and which one it is.
#[cfg(unix)]
fn which(data: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt as _;
    format!("-{}.{:09}-{}", data.ctime(), data.ctime_nsec(), data.ino())
}

/// Elsewhere the time must do.
#[cfg(not(unix))]
fn which(_: &Metadata) -> String {
    String::new()
}

fn unreadable(reference: &str, error: io::Error) -> Error {
    let kind = if error.kind() == io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Io };
    Error::new(kind, format!("cannot read {}: {error}", quoted(reference))).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    use swarmsecrets_testkit::conformance::secret_source::{Stage, check};

    struct Folder(tempfile::TempDir);

    #[async_trait]
    impl Stage for Folder {
        fn source(&self) -> Box<dyn SecretSource> {
            Box::new(FolderSource::new("folder", self.0.path()))
        }

        async fn put(&self, reference: &str, value: &SecretValue) {
            let path = self.0.path().join(reference);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            // The clock of a file system goes in ticks.
            std::thread::sleep(std::time::Duration::from_millis(20));
            // As those do it who keep values in files: the new one takes the place of the old one at once.
            let new = path.with_extension("new");
            fs::write(&new, value.expose()).unwrap();
            fs::rename(&new, &path).unwrap();
        }

        fn reference(&self, name: &str) -> String {
            format!("prod/{name}")
        }
    }

    #[tokio::test]
    async fn it_keeps_the_promises_of_a_source() {
        check(&Folder(tempfile::tempdir().unwrap())).await;
    }

    #[tokio::test]
    async fn nothing_is_read_outside_of_the_folder() {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("values");
        fs::create_dir(&folder).unwrap();
        fs::write(outside.path().join("other"), "made up").unwrap();
        fs::create_dir(folder.join("deep")).unwrap();
        let source = FolderSource::new("folder", &folder);
        #[cfg(unix)]
        std::os::unix::fs::symlink(outside.path().join("other"), folder.join("link")).unwrap();
        for reference in ["../other", "/etc/hostname", "", ".", "deep/../../other", "link", "deep"] {
            let error = source.current(reference).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{reference}: {error}");
            assert_eq!(source.fetch(reference, "1").await.unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[tokio::test]
    async fn a_file_that_is_written_in_its_place_is_another_version() {
        let folder = tempfile::tempdir().unwrap();
        let (path, source) = (folder.path().join("db"), FolderSource::new("folder", folder.path()));
        fs::write(&path, "first, made up").unwrap();
        let first = source.current("db").await.unwrap();
        assert_eq!(source.fetch("db", &first).await.unwrap().expose(), b"first, made up");
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, "other, made up").unwrap();
        assert_eq!(source.fetch("db", &first).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
