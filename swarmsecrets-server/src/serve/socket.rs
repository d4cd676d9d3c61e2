//! A socket in the file system, made with care and taken away at the end.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result};
use tokio::net::UnixListener;

/// For this user and group. Others are kept out before their token is looked at.
const MODE: u32 = 0o660;

/// Takes the socket away when the server is gone.
pub(super) struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        // Nothing can be done, and nothing is lost: the next server takes it away.
        drop(std::fs::remove_file(&self.0));
    }
}

/// Listens. A socket that nobody listens on any more is put out of the way; anything else is let be.
pub(super) fn bind(path: &Path) -> Result<(UnixListener, Socket)> {
    let place = quoted(&path.to_string_lossy());
    let failed = |e: io::Error| Error::new(ErrorKind::Io, format!("cannot listen on {place}: {e}"));
    let taken = |why: &str| Error::new(ErrorKind::Settings, format!("cannot listen on {place}: {why}"));
    match std::fs::symlink_metadata(path) {
        Ok(there) if !there.file_type().is_socket() => {
            return Err(taken("something else is there: choose another path"));
        }
        Ok(_) => match UnixStream::connect(path) {
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path).map_err(failed)?,
            _ => return Err(taken("another server listens there")),
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(failed(e)),
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    let socket = Socket(path.to_owned());
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(MODE)).map_err(failed)?;
    Ok((listener, socket))
}
