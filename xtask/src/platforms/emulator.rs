//! Running programs of other systems here: qemu's user mode for Linux on ARM, Wine for Windows.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::debian::Packages;
use crate::platforms::script;
use crate::process;
use crate::workspace::Workspace;

/// Runs programs of another system.
pub struct Emulator {
    kind: Kind,
    packages: Packages,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Qemu,
    Wine,
}

/// Linux on ARM.
pub const QEMU: Emulator = Emulator {
    kind: Kind::Qemu,
    packages: Packages {
        names: &["qemu-user", "libc6-arm64-cross"],
        purpose: "running programs for Linux on ARM",
        elsewhere: "Running programs for Linux on ARM needs qemu-aarch64, and the C library in /usr/aarch64-linux-gnu",
    },
};

/// Windows.
pub const WINE: Emulator = Emulator {
    kind: Kind::Wine,
    packages: Packages {
        names: &["wine64"],
        purpose: "running programs for Windows",
        elsewhere: "Running programs for Windows needs Wine as /usr/lib/wine/wine64",
    },
};

const RUN_QEMU: &str = r#"#!/bin/sh
exec qemu-aarch64 -L /usr/aarch64-linux-gnu "$@"
"#;

/// With a directory of its own, no messages, and the library below.
const RUN_WINE: &str = r#"#!/bin/sh
export WINEPREFIX="DIR/prefix" WINEPATH="DIR" WINEDEBUG=-all
exec /usr/lib/wine/wine64 "$@"
"#;

/// The library that Windows has for random numbers since version 10, and Wine 8 does not have.
const RANDOM: &str = "
__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *, unsigned long);
__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *out, unsigned long long length) {
    return SystemFunction036(out, (unsigned long)length);
}
";

impl Emulator {
    /// A program that runs the program in its arguments. The C compiler is that of the platform.
    pub fn runner(&self, workspace: &Workspace, cc: &Path) -> Result<PathBuf> {
        self.packages.ensure(workspace.installs)?;
        let dir = workspace.target_dir.join("platforms");
        let run = match self.kind {
            Kind::Qemu => RUN_QEMU.to_owned(),
            Kind::Wine => {
                let wine = dir.join("wine");
                std::fs::create_dir_all(&wine).with_context(|| format!("cannot make {}", wine.display()))?;
                let library = wine.join("bcryptprimitives.dll");
                if !library.is_file() {
                    let source = wine.join("random.c");
                    std::fs::write(&source, RANDOM)
                        .with_context(|| format!("cannot write {}", source.display()))?;
                    let mut compile = Command::new(cc);
                    compile.args(["-shared", "-O2", "-o"]).arg(&library).arg(source).arg("-ladvapi32");
                    process::run(compile.stdin(Stdio::null()))?;
                }
                RUN_WINE.replace("DIR", &wine.to_string_lossy())
            }
        };
        let file = dir.join(match self.kind {
            Kind::Qemu => "run-qemu",
            Kind::Wine => "run-wine",
        });
        script::write(&file, &run)?;
        Ok(file)
    }

    /// Whether programs that it runs cannot start others of their system.
    pub fn needs_runner_inside(&self) -> bool {
        self.kind == Kind::Qemu
    }

    /// The tests that cannot pass there.
    pub fn skipped(&self) -> &'static [&'static str] {
        match self.kind {
            // docs/platforms.md tells why, for both.
            Kind::Qemu => &[
                "os::unix::nonblocking::tests::an_eventfd_is_read_with_the_flag_of_the_call_also_after_writes",
            ],
            Kind::Wine => &[
                "os::poller::tests::readiness_is_level_triggered",
                "poll_disconnect_alone",
                "poll_reset",
                "ctrl_break_sends_an_async_handle",
                "handle_dropped_resources",
                "poll_exists",
                "poll_unread_data",
                "grants::tests::what_can_not_be_granted_is_one_sentence",
            ],
        }
    }
}
