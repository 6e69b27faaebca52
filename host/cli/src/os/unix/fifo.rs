//! Opening FIFOs.

use crate::shared::text::quoted;
use crate::values::{Fifo, FifoMode};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;
use std::io;
use std::os::fd::OwnedFd;
use wasmtime::{Result, bail};

/// Opens an existing FIFO.
pub fn fifo(fifo: &Fifo) -> Result<OwnedFd> {
    let name = quoted(&fifo.path.to_string_lossy());
    let flags = match fifo.mode {
        FifoMode::Read => OFlags::RDONLY,
        FifoMode::Write => OFlags::WRONLY,
        FifoMode::Both => OFlags::RDWR,
    };
    let flags = flags | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let fd = match open(&fifo.path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => bail!("there is no {name}; `mkfifo` makes it"),
        Err(Errno::NXIO) => bail!("{name} has no reader yet"),
        Err(error) => bail!("{name} cannot be opened: {}", io::Error::from(error)),
    };
    let is_fifo = FileType::from_raw_mode(fstat(&fd).map_err(io::Error::from)?.st_mode) == FileType::Fifo;
    match is_fifo {
        true => Ok(fd),
        false => bail!("{name} is no FIFO"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifo_for_writing_needs_a_reader() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        // Not every system has a call that rustix knows.
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let open = |mode| fifo(&Fifo { path: path.clone(), mode });
        assert!(open(FifoMode::Write).unwrap_err().to_string().contains("has no reader"));
        let _reader = open(FifoMode::Read).unwrap();
        open(FifoMode::Write).unwrap();
    }
}
