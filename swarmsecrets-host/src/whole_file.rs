//! Files that are there as a whole or not at all, and files that others may have put in our way.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::line_file::{private, sync_parent};

/// Tells the temporary files of one process apart.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// This user.
    Owner,
    /// This user, and whoever may read the folder that it is in.
    OfTheFolder,
}

/// Writes a file and returns when it is on the disk under its name. Whoever reads sees the file before or after, and nothing
/// between.
pub(crate) fn write(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let (mut file, temporary) = temporary(path)?;
    let shared = if readers == Readers::OfTheFolder { share(path, &file) } else { Ok(()) };
    let written = shared
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // What cannot be removed now is in nobody's way: its name is not used again.
        let _ = fs::remove_file(&temporary);
    }
    written.and_then(|()| sync_parent(path))
}

/// A new file beside `path`, under a name that begins with a dot.
fn temporary(path: &Path) -> io::Result<(File, PathBuf)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    loop {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_file_name(format!(".{name}.{}-{n}.tmp", std::process::id()));
        match private(OpenOptions::new().write(true).create_new(true)).open(&temporary) {
            // One that a process of the same number left behind when it died.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
            Ok(file) => return Ok((file, temporary)),
        }
    }
}

/// Lets those read the file who may read its folder: whoever made it for several people meant that.
fn share(path: &Path, file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let readers = fs::metadata(folder)?.permissions().mode() & 0o044;
        file.set_permissions(fs::Permissions::from_mode(0o600 | readers))?;
    }
    #[cfg(not(unix))]
    let _ = (path, file);
    Ok(())
}

/// Reads a file of at most `limit` bytes; [`io::ErrorKind::FileTooLarge`] if it is longer. Links, pipes and devices are not
/// followed: others may write to the folder.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let why = format!("it is longer than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_as_a_whole_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write(&path, b"first", Readers::Owner).unwrap();
        write(&path, b"second", Readers::Owner).unwrap();
        assert_eq!(read(&path, 6).unwrap(), b"second");
        assert_eq!(read(&path, 5).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(write(&dir.path().join("none/file"), b"x", Readers::Owner).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn those_may_read_it_who_may_read_its_folder_if_it_is_shared() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        for (folder, file) in [(0o700, 0o600), (0o770, 0o640), (0o755, 0o644)] {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(folder)).unwrap();
            let path = dir.path().join("file");
            for (readers, wanted) in [(Readers::OfTheFolder, file), (Readers::Owner, 0o600)] {
                write(&path, b"x", readers).unwrap();
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, wanted);
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (there, link) = (dir.path().join("there"), dir.path().join("link"));
        fs::write(&there, "x").unwrap();
        std::os::unix::fs::symlink(&there, &link).unwrap();
        assert_eq!(read(&link, 9).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        // Writing puts a file in the link's place, and leaves what it points to.
        write(&link, b"new", Readers::Owner).unwrap();
        assert_eq!((fs::read(&there).unwrap(), read(&link, 9).unwrap()), (b"x".to_vec(), b"new".to_vec()));
    }
}
