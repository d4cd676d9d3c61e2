//! A file that only grows, by whole lines, each of them on the disk before it counts.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Take, Write};
use std::path::Path;

/// How much is read at a time when looking for the last line break.
const BLOCK: u64 = 64 * 1024;

/// The file, taken for this process alone until it is dropped.
pub(crate) struct LineFile {
    file: File,
    /// Where the next line goes: after the last line break.
    end: u64,
}

impl LineFile {
    /// Takes the file to write to it, making it if it is not there, and cuts off what stands after the last line break. Gives
    /// the number of bytes that were cut.
    pub(crate) fn take(path: &Path) -> io::Result<(Self, u64)> {
        let file = private(OpenOptions::new().read(true).append(true).create(true)).open(path)?;
        file.lock()?;
        let length = file.metadata()?.len();
        let mut taken = Self { file, end: length };
        taken.end = after_last_break(&mut taken.file, length)?;
        if length == 0 {
            // The file may have been made just now, by us or by one who crashed: its name must last too.
            sync_parent(path)?;
        }
        let torn = length - taken.end;
        if torn > 0 {
            taken.file.set_len(taken.end)?;
            taken.file.sync_data()?;
        }
        Ok((taken, torn))
    }

    /// Where the next line will begin.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Adds a line and returns when it is on the disk. If that fails, nothing of it is left behind as far as it can be helped.
    pub(crate) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        debug_assert!(!line.contains(&b'\n'));
        let mut whole = Vec::with_capacity(line.len() + 1);
        whole.extend_from_slice(line);
        whole.push(b'\n');
        let written = self.file.write_all(&whole).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.end += whole.len() as u64,
            Err(_) => {
                // Part of it may stand there. Should cutting it fail as well, it is cut as a torn line by who comes next.
                let _ = self.file.set_len(self.end).and_then(|()| self.file.sync_data());
            }
        }
        written
    }

    /// The last line, without its break.
    pub(crate) fn last(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.end == 0 {
            return Ok(None);
        }
        let begin = after_last_break(&mut self.file, self.end - 1)?;
        let mut line = self.from(begin)?;
        line.pop();
        Ok(Some(line))
    }

    /// What stands from `begin` to the last line break.
    pub(crate) fn from(&mut self, begin: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(begin))?;
        Read::by_ref(&mut self.file).take(self.end.saturating_sub(begin)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The place after the last line break before `before`, or 0.
fn after_last_break(file: &mut File, mut before: u64) -> io::Result<u64> {
    let mut block = Vec::new();
    while before > 0 {
        let begin = before.saturating_sub(BLOCK);
        block.clear();
        file.seek(SeekFrom::Start(begin))?;
        Read::by_ref(file).take(before - begin).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|b| *b == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        before = begin;
    }
    Ok(0)
}

/// The lines of a file that are whole at this moment, to be read, and the number of bytes after them. Waits while one is being
/// written, and not for longer: whole lines do not change, so that who writes need not wait for who reads.
///
/// Of what is no file, as a pipe, everything is given: what is torn there is seen at its end.
pub(crate) fn whole_lines(path: &Path) -> io::Result<(Take<File>, u64)> {
    let mut file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Ok((file.take(u64::MAX), 0));
    }
    match file.lock_shared() {
        // Of a file system without locks nobody can have taken the file to write to it.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        locked => locked?,
    }
    let length = file.metadata()?.len();
    let whole = after_last_break(&mut file, length)?;
    file.unlock()?;
    file.seek(SeekFrom::Start(0))?;
    Ok((file.take(whole), length - whole))
}

/// Reads the whole lines of a file and the number of bytes after them. Waits while one is being written.
pub(crate) fn read(path: &Path) -> io::Result<(Vec<u8>, usize)> {
    let mut file = File::open(path)?;
    file.lock_shared()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let torn = bytes.len() - whole;
    bytes.truncate(whole);
    Ok((bytes, torn))
}

/// Makes a folder and those above it that are missing, for this user alone, and returns when they are on the disk.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    if !fs::metadata(path)?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::NotADirectory));
    }
    missing.into_iter().try_for_each(sync_parent)
}

/// The same options, for files of this user alone.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes the name of a file last. Only Unix can, and only Unix needs to.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        fs::write(&path, content).unwrap();
        (dir, path)
    }

    #[test]
    fn the_last_line_is_found_across_blocks() {
        let long = vec![b'x'; 3 * BLOCK as usize];
        for lines in [&[][..], &[&b"a"[..]], &[b"a", b"bc"], &[b"", b""], &[b"a", &long], &[&long, b"a"], &[&long]] {
            for torn in [&b""[..], b"t", &long] {
                let mut content = Vec::new();
                for line in lines {
                    content.extend_from_slice(line);
                    content.push(b'\n');
                }
                let whole = content.len();
                content.extend_from_slice(torn);
                let (_dir, path) = file(&content);
                assert_eq!(read(&path).unwrap().1, torn.len());
                let (mut taken, cut) = LineFile::take(&path).unwrap();
                assert_eq!(cut, torn.len() as u64);
                assert_eq!(taken.last().unwrap().as_deref(), lines.last().copied());
                assert_eq!(taken.from(0).unwrap(), &content[..whole]);
                taken.append(b"next").unwrap();
                assert_eq!(taken.last().unwrap().unwrap(), b"next");
                assert_eq!(fs::read(&path).unwrap(), [&content[..whole], b"next\n"].concat());
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("full");
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let (mut taken, _) = LineFile::take(&path).unwrap();
        assert_eq!(taken.append(b"line").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(taken.end(), 0);
    }
}
