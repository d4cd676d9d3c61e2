//! The files of the repository.

use std::path::{Path, PathBuf};

/// The top of the clone.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The path as it stands in the repository.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// All files with one of these extensions, in order, but for those that are built or fetched.
pub(crate) fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk(root(), extensions, &mut files);
    files.sort();
    files
}

fn walk(dir: &Path, extensions: &[&str], files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" {
                walk(&path, extensions, files);
            }
        } else if path.extension().is_some_and(|e| extensions.iter().any(|wanted| e == *wanted)) {
            files.push(path);
        }
    }
}
