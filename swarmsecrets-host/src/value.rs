//! Values and credentials from files and standard input, without a copy left behind in memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use swarmsecrets_core::secret::MAX_VALUE_BYTES;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use zeroize::Zeroizing;

/// Longer than any API key or JWT.
const MAX_CREDENTIAL_BYTES: usize = 64 * 1024;

/// A value as the user gave it, to the last byte.
#[derive(Debug)]
pub struct SuppliedValue {
    /// The value. Like `docker secret create` it keeps a line break at its end.
    pub value: SecretValue,
    /// Whether it ends in a line break, which an editor may have put there unasked: warn the user.
    pub ends_in_newline: bool,
}

/// Reads a value from a file, or from standard input if the path is `-`.
///
/// # Errors
/// [`ErrorKind::Io`] if it cannot be read; [`ErrorKind::Invalid`] and [`ErrorKind::TooLarge`] as Swarm's limits say.
pub fn read_value(from: &Path) -> Result<SuppliedValue> {
    if from.as_os_str() == "-" {
        let name = "standard input";
        read_value_from(stdin().map_err(|e| unreadable(name, e))?, name)
    } else {
        let name = from.display().to_string();
        read_value_from(File::open(from).map_err(|e| unreadable(&name, e))?, &name)
    }
}

/// Reads a value from anything; `name` says from what, for messages. Do not hand over a reader with a buffer: bytes of the
/// value would stay in it.
///
/// # Errors
/// As [`read_value`].
pub fn read_value_from(reader: impl Read, name: &str) -> Result<SuppliedValue> {
    let bytes = read_all(reader, MAX_VALUE_BYTES).map_err(|e| unreadable(name, e))?;
    let ends_in_newline = bytes.last() == Some(&b'\n');
    let value = SecretValue::new(exact(&bytes)).map_err(|e| e.context(format!("the value from {name}")))?;
    Ok(SuppliedValue { value, ends_in_newline })
}

/// Reads a credential from a file, without the line break at its end.
///
/// # Errors
/// [`ErrorKind::Settings`] if the file cannot be read, is empty or is too long for a credential.
pub fn read_credential(path: &Path) -> Result<SecretValue> {
    let bad = |why: &str| Error::new(ErrorKind::Settings, format!("the credential file {} {why}", path.display()));
    let bytes = File::open(path)
        .and_then(|file| read_all(file, MAX_CREDENTIAL_BYTES))
        .map_err(|e| bad(&format!("cannot be read: {e}")).with_source(e))?;
    let end = bytes.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
    match end {
        0 => Err(bad("is empty")),
        _ if bytes.len() > MAX_CREDENTIAL_BYTES => Err(bad("is too long for a credential: is it the right file?")),
        _ => Ok(SecretValue::credential(exact(&bytes[..end]))),
    }
}

/// Reads up to `limit` bytes and one more. The buffer has its full size from the start: one that grows leaves copies behind.
fn read_all(reader: impl Read, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; limit + 1]);
    let mut reader = reader;
    let mut length = 0;
    while length < bytes.len() {
        match reader.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// The same bytes in a buffer of exactly their size, which `SecretValue` keeps as it is.
fn exact(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(bytes);
    out
}

/// Standard input without the buffer that the standard library puts before it and never clears.
#[cfg(unix)]
fn stdin() -> io::Result<impl Read> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// Standard input.
#[cfg(not(unix))]
fn stdin() -> io::Result<impl Read> {
    Ok(io::stdin())
}

fn unreadable(name: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read the value from {name}: {error}")).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(bytes: &[u8]) -> Result<SuppliedValue> {
        read_value_from(bytes, "a test")
    }

    #[test]
    fn a_value_is_kept_to_the_last_byte() {
        for (bytes, newline) in
            [(&b"a"[..], false), (b"a\n", true), (b"\n", true), (b"\0\xff\r\n\n", true), (b" a ", false)]
        {
            let supplied = read(bytes).unwrap();
            assert_eq!((supplied.value.expose(), supplied.ends_in_newline), (bytes, newline));
        }
    }

    #[test]
    fn the_limits_are_swarms() {
        assert_eq!(read(b"").unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(read(&vec![7; MAX_VALUE_BYTES]).unwrap().value.len(), MAX_VALUE_BYTES);
        assert_eq!(read(&vec![7; MAX_VALUE_BYTES + 1]).unwrap_err().kind(), ErrorKind::TooLarge);
        // An endless one is given up too.
        assert_eq!(read_value_from(io::repeat(7), "a test").unwrap_err().kind(), ErrorKind::TooLarge);
    }

    #[test]
    fn a_reader_may_give_one_byte_at_a_time() {
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let n = self.0.len().min(1).min(into.len());
                into[..n].copy_from_slice(&self.0[..n]);
                self.0 = &self.0[n..];
                Ok(n)
            }
        }
        assert_eq!(read_value_from(Slow(b"made-up"), "a test").unwrap().value.expose(), b"made-up");
    }

    #[test]
    fn files_that_are_not_there_are_named() {
        let error = read_value(Path::new("no/such/file")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().contains("no/such/file"), "{error}");
        assert_eq!(read_credential(Path::new("no/such/file")).unwrap_err().kind(), ErrorKind::Settings);
    }

    #[test]
    fn a_credential_loses_its_line_break_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        for (content, key) in [
            ("ptr_x", Some("ptr_x")),
            ("ptr_x\n", Some("ptr_x")),
            ("ptr_x\r\n\n", Some("ptr_x")),
            (" ptr_x", Some(" ptr_x")),
            ("", None),
            ("\r\n", None),
        ] {
            fs::write(&path, content).unwrap();
            let read = read_credential(&path);
            match key {
                Some(key) => assert_eq!(read.unwrap().expose(), key.as_bytes()),
                None => assert_eq!(read.unwrap_err().kind(), ErrorKind::Settings),
            }
        }
        fs::write(&path, vec![b'x'; MAX_CREDENTIAL_BYTES + 1]).unwrap();
        assert_eq!(read_credential(&path).unwrap_err().kind(), ErrorKind::Settings);
    }
}
