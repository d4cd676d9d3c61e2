//! Which sources values are fetched from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use swarmsecrets_core::Result;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::source::{SecretSource, Sources};
use swarmsecrets_host::FolderSource;

use crate::entries::{self, Settings};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sources: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    name: String,
    #[serde(rename = "kind")]
    _kind: Kind,
    folder: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Folder,
}

impl Entry {
    fn make(self, beside: &Path) -> Arc<dyn SecretSource> {
        Arc::new(FolderSource::new(self.name, beside.join(self.folder)))
    }
}

/// Reads a file of `--sources`.
///
/// # Errors
/// `Io` if it cannot be read, `Invalid` if it cannot be understood or two sources have the same name.
pub fn read_sources(path: &Path) -> Result<Sources> {
    let file: File = entries::read(path)?;
    let made = file.sources.into_iter().map(|entry| entry.make(entries::folder(path)));
    made.into_iter()
        .try_fold(Sources::none(), Sources::and)
        .map_err(|error| error.context(quoted(&path.to_string_lossy())))
}

/// The source of an entry that a program has written.
///
/// # Errors
/// `Invalid` if it cannot be understood.
pub fn source(settings: Settings) -> Result<Arc<dyn SecretSource>> {
    Ok(entries::understand::<Entry>(settings)?.make(Path::new("")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Sources> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sources.toml");
        std::fs::write(&path, text).unwrap();
        read_sources(&path)
    }

    #[test]
    fn each_has_a_name_of_its_own() {
        let entry = "[[sources]]\nname = \"rendered\"\nkind = \"folder\"\nfolder = \"values\"\n";
        assert!(read(entry).unwrap().check("rendered").is_ok());
        let error = read(&entry.repeat(2)).unwrap_err();
        assert!(error.message().contains("two sources called `rendered`"), "{error}");
    }

    #[test]
    fn what_is_not_known_is_said() {
        for (text, part) in [
            ("[[sources]]\nname = \"a\"\nkind = \"cloud\"\nfolder = \"b\"\n", "cloud"),
            ("[[sources]]\nname = \"a\"\nkind = \"folder\"\n", "folder"),
            ("[[sources]]\nname = \"a\"\nkind = \"folder\"\nfolder = \"b\"\npath = \"c\"\n", "path"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.message().contains(part), "{error}");
        }
    }

    #[tokio::test]
    async fn a_folder_is_beside_the_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("values")).unwrap();
        std::fs::write(folder.path().join("values/db"), "made up").unwrap();
        let path = folder.path().join("sources.toml");
        std::fs::write(&path, "[[sources]]\nname = \"here\"\nkind = \"folder\"\nfolder = \"values\"\n").unwrap();
        let sources = read_sources(&path).unwrap();
        let version = sources.current("here", "db").await.unwrap();
        assert_eq!(sources.fetch(&version).await.unwrap().expose(), b"made up");
    }
}
