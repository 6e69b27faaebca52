//! The directory of compiled code.
//!
//! Code is as powerful as uv-run itself, so it is taken only if no other user can have written it:
//! the directory and the file belong to this user, and others may not write them. Both are opened
//! without following a link, checked by their descriptors, and used by these.

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::path::Arg;
use rustix::process::geteuid;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Where the process finds its open files by their numbers.
const OPEN_FILES: &str = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };

/// The place of a component's compiled code.
pub struct Kept {
    dir: PathBuf,
    /// The part of the file name that all builds of the component share.
    prefix: String,
    name: String,
}

impl Kept {
    /// None if there is no place for it, or no such component.
    pub fn of(engine: &Engine, file: &Path) -> Option<Kept> {
        let dir = cache_dir()?;
        let file = file.canonicalize().ok()?;
        let metadata = fs::metadata(&file).ok()?;
        let build = (metadata.len(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec());
        let prefix = format!("{:016x}-", hash(&file));
        let name = format!("{prefix}{:016x}.cwasm", hash(&(build, engine.precompile_compatibility_hash())));
        Some(Kept { dir, prefix, name })
    }

    /// The code, as a component, if there is some that can be used.
    pub fn take(&self, engine: &Engine) -> Option<Component> {
        let file = self.open_dir().and_then(|dir| open_ours(&dir, &self.name, OFlags::empty()));
        let file = match file {
            Ok(file) => file,
            Err(Errno::NOENT) => return None,
            Err(error) => {
                tracing::debug!(%error, dir = %self.dir.display(), "no cached code is taken");
                return None;
            }
        };
        // wasmtime maps the file that is open, whatever has the name by now.
        let file = format!("{OPEN_FILES}/{}", file.as_raw_fd());
        // SAFETY: only the output of `Component::serialize` may be deserialized. The file and its
        // directory belong to this user and no other user could write them. Only `keep` writes
        // there, and it renames a file into place when it is complete. wasmtime's own cache trusts
        // the user's directory in the same way, and so does a user who starts a program from it.
        match unsafe { Component::deserialize_file(engine, &file) } {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::debug!("the cached code cannot be used: {error:#}");
                None
            }
        }
    }

    /// Keeps the code for later runs.
    pub fn keep(&self, code: &[u8]) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        let dir = self.open_dir()?;
        let fresh = format!("{}.{}", self.name, std::process::id());
        let written = (|| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mut file = File::from(openat(&dir, &fresh, flags, Mode::RUSR | Mode::WUSR)?);
            file.write_all(code)?;
            renameat(&dir, &fresh, &dir, &self.name)?;
            io::Result::Ok(())
        })();
        if written.is_err() {
            // It may not exist, and then there is nothing to remove.
            let _ = unlinkat(&dir, &fresh, AtFlags::empty());
        }
        written?;
        // Removes the code of earlier builds. A process that runs one has it mapped.
        for entry in Dir::read_from(&dir)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(&self.prefix) && name.ends_with(".cwasm") && name != self.name {
                unlinkat(&dir, &name, AtFlags::empty())?;
            }
        }
        Ok(())
    }

    fn open_dir(&self) -> rustix::io::Result<OwnedFd> {
        open_ours(CWD, &self.dir, OFlags::DIRECTORY)
    }
}

/// Opens a file or a directory for reading, unless another user can have written it.
fn open_ours(at: impl AsFd, path: impl Arg, kind: OFlags) -> rustix::io::Result<OwnedFd> {
    // Opening a FIFO without a writer blocks otherwise.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | kind;
    let file = openat(at, path, flags, Mode::empty())?;
    let found = fstat(&file)?;
    let others_write = Mode::from_raw_mode(found.st_mode).intersects(Mode::WGRP | Mode::WOTH);
    let right_kind = match FileType::from_raw_mode(found.st_mode) {
        FileType::Directory => kind.contains(OFlags::DIRECTORY),
        FileType::RegularFile => true,
        _ => false,
    };
    match right_kind && !others_write && found.st_uid == geteuid().as_raw() {
        true => Ok(file),
        false => Err(Errno::PERM),
    }
}

/// The user's cache directory for uv-handles.
fn cache_dir() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
    let caches = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(caches.join("uv-handles"))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component;
    use std::os::unix::fs::PermissionsExt;

    fn kept(dir: &Path, engine: &Engine, component: &Path) -> Kept {
        Kept { dir: dir.join("cache"), ..Kept::of(engine, component).unwrap() }
    }

    #[test]
    fn what_is_kept_is_taken_until_the_component_changes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("guest.wasm");
        fs::write(&file, b"\0asm\x0d\0\x01\0").unwrap();
        let engine = component::engine(false, component::Form::Plain).unwrap();
        let first = kept(dir.path(), &engine, &file);
        assert!(first.take(&engine).is_none(), "nothing is kept yet");
        let code = component::load(&engine, &file).unwrap().serialize().unwrap();
        first.keep(&code).unwrap();
        assert!(kept(dir.path(), &engine, &file).take(&engine).is_some());

        fs::write(&file, b"\0asm\x0d\0\x01\0\0\x02\x01a").unwrap();
        let second = kept(dir.path(), &engine, &file);
        assert!(second.take(&engine).is_none(), "it is another build");
        second.keep(&code).unwrap();
        assert!(first.take(&engine).is_none(), "the first build's is removed");
        assert_eq!(fs::read_dir(&second.dir).unwrap().count(), 1);
    }

    #[test]
    fn what_others_could_have_written_or_is_broken_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("guest.wasm");
        fs::write(&file, b"\0asm\x0d\0\x01\0").unwrap();
        let engine = component::engine(false, component::Form::Plain).unwrap();
        let kept = kept(dir.path(), &engine, &file);
        kept.keep(&component::load(&engine, &file).unwrap().serialize().unwrap()).unwrap();
        let place = kept.dir.join(&kept.name);
        fs::set_permissions(&place, fs::Permissions::from_mode(0o622)).unwrap();
        assert!(kept.take(&engine).is_none());
        fs::set_permissions(&place, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(kept.take(&engine).is_some());
        fs::write(&place, b"no code").unwrap();
        assert!(kept.take(&engine).is_none());
    }

    #[test]
    fn nothing_is_taken_from_a_directory_that_others_could_write_or_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("guest.wasm");
        fs::write(&file, b"\0asm\x0d\0\x01\0").unwrap();
        let engine = component::engine(false, component::Form::Plain).unwrap();
        let kept = kept(dir.path(), &engine, &file);
        let code = component::load(&engine, &file).unwrap().serialize().unwrap();
        kept.keep(&code).unwrap();

        for mode in [0o720, 0o702, 0o1777] {
            fs::set_permissions(&kept.dir, fs::Permissions::from_mode(mode)).unwrap();
            assert!(kept.take(&engine).is_none(), "{mode:o}");
            assert!(kept.keep(&code).is_err(), "{mode:o}");
        }
        fs::set_permissions(&kept.dir, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(kept.take(&engine).is_some());

        let (place, elsewhere) = (kept.dir.join(&kept.name), dir.path().join("elsewhere"));
        fs::rename(&place, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &place).unwrap();
        assert!(kept.take(&engine).is_none(), "a link in the place of the file");
        fs::rename(&elsewhere, &place).unwrap();
        assert!(kept.take(&engine).is_some());

        fs::rename(&kept.dir, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &kept.dir).unwrap();
        assert!(kept.take(&engine).is_none(), "a link in the place of the directory");
        assert!(kept.keep(&code).is_err());
    }
}
