//! Unix sockets: listening on one, removing its file when the run ends, and connecting to one.

use crate::os::Descriptor;
use crate::shared::text::quoted;
use rustix::fs::{Mode, fchmod};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::process::umask;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
/// A listening Unix socket.
pub use std::os::unix::net::UnixListener as Listener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::error::Context;
use wasmtime::{Result, bail};

/// The connections that wait to be accepted.
const BACKLOG: i32 = 16;

/// The files of a run's sockets. Clones share them; they are removed with the last clone, or when
/// [`SocketFiles::remove`] says so, because another clone may live as long as the process.
#[derive(Debug, Clone, Default)]
pub struct SocketFiles(Arc<Files>);

#[derive(Debug, Default)]
struct Files(Mutex<Vec<SocketFile>>);

#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and inode: another process may have put another file there in the meantime.
    identity: (u64, u64),
}

impl SocketFiles {
    /// Listens on a new socket at a path. A socket file without a listener is left over from a run
    /// that was killed, and is replaced. Any other file stays as it is.
    pub fn listen(&self, path: &Path) -> Result<Listener> {
        self.listen_by(path, |path| Listener::bind(path))
    }

    /// As [`SocketFiles::listen`], but only processes of this user can connect.
    pub fn listen_private(&self, path: &Path) -> Result<Listener> {
        self.listen_by(path, bind_private)
    }

    fn listen_by(&self, path: &Path, bind: impl FnOnce(&Path) -> io::Result<Listener>) -> Result<Listener> {
        if let Ok(found) = fs::symlink_metadata(path) {
            let name = quoted(&path.to_string_lossy());
            if !found.file_type().is_socket() {
                bail!("the file {name} exists already, and is no socket");
            }
            match UnixStream::connect(path) {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path)
                    .with_context(|| format!("{name}, an old socket, cannot be replaced"))?,
                // The listener may be busy, or belong to another user.
                _ => bail!("the socket {name} exists already, and is in use"),
            }
        }
        let listener = bind(path)?;
        let made = fs::symlink_metadata(path)?;
        let file = SocketFile { path: fs::canonicalize(path)?, identity: (made.dev(), made.ino()) };
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).push(file);
        Ok(listener)
    }

    /// Removes all files now.
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// Listens on a socket whose file has the mode 0600.
fn bind_private(path: &Path) -> io::Result<Listener> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    bind_with_mode(&socket, &SocketAddrUnix::new(path)?, Mode::RUSR | Mode::WUSR)?;
    listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

/// A function that connects to a socket.
pub fn connector(path: &Path) -> Result<impl Fn() -> io::Result<Descriptor> + Send + Sync + 'static> {
    let path = path.to_owned();
    Ok(move || Ok(UnixStream::connect(&path)?.into()))
}

/// Makes the file of a socket with a mode. A chmod of the file would come too late.
fn bind_with_mode(socket: &OwnedFd, address: &SocketAddrUnix, mode: Mode) -> rustix::io::Result<()> {
    if cfg!(target_os = "linux") {
        // bind(2) takes the mode of the socket.
        fchmod(socket, mode)?;
        return bind(socket, address);
    }
    // Elsewhere a socket has no mode. The process's mask is for all threads, so files that others make
    // in the meantime get fewer permissions, never more.
    let before = umask(!mode & Mode::from_raw_mode(0o777));
    let bound = bind(socket, address);
    umask(before);
    bound
}

impl Files {
    fn remove(&self) {
        for file in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let found = fs::symlink_metadata(&file.path);
            if found.is_ok_and(|found| (found.dev(), found.ino()) == file.identity)
                && let Err(error) = fs::remove_file(&file.path)
            {
                tracing::debug!(%error, path = %file.path.display(), "a socket's file stays");
            }
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_socket_without_a_listener_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let files = SocketFiles::default();
        let listener = files.listen(&path).unwrap();
        let in_use = files.listen(&path).unwrap_err().to_string();
        assert!(in_use.contains("in use"), "{in_use}");
        drop(listener);
        let _again = SocketFiles::default().listen(&path).unwrap();

        let file = dir.path().join("file");
        fs::write(&file, "precious").unwrap();
        let error = files.listen(&file).unwrap_err().to_string();
        assert!(error.contains("is no socket"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), b"precious");
    }

    #[test]
    fn a_file_is_removed_at_the_end_unless_it_is_another_one() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, other) = (dir.path().join("ours"), dir.path().join("other"));
        let files = SocketFiles::default();
        let _listeners = [files.listen(&ours).unwrap(), files.listen(&other).unwrap()];
        fs::rename(&other, dir.path().join("kept so that its inode is not used again")).unwrap();
        fs::write(&other, "another").unwrap();
        drop(files.clone());
        assert!(ours.exists());
        drop(files);
        assert!(!ours.exists() && other.exists());
    }
}
