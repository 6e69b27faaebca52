//! Debian's packages for programs that are missing. Installed only on request.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::{self, say};

/// Packages that are needed together.
pub struct Packages {
    /// Their names.
    pub names: &'static [&'static str],
    /// Their purpose, as in "the packages for building guests".
    pub purpose: &'static str,
    /// The requirement on systems without such packages, as a sentence without its full stop.
    pub elsewhere: &'static str,
}

impl Packages {
    /// Installs missing packages if that is allowed; otherwise the error names the command.
    pub fn ensure(&self, installs: bool) -> Result<()> {
        let missing = self.missing()?;
        if missing.is_empty() {
            return Ok(());
        }
        // apt-get would remove packages that conflict with these, such as a rustc of another kind.
        let install = format!("apt-get install -y --no-install-recommends --no-remove {}", missing.join(" "));
        let is_root = rustix::process::geteuid().is_root();
        if !installs || !is_root {
            let or = if is_root { "; or run this again with `--install`, which does it" } else { "" };
            bail!(
                "Debian's packages {} are needed for {}. Install them and run this again{or}:\n    \
                 {}sh -c 'apt-get update && {install}'",
                missing.join(", "),
                self.purpose,
                if is_root { "" } else { "sudo " },
            );
        }
        for line in ["apt-get update", &install] {
            say(format_args!("running {line}"));
            let mut words = line.split(' ');
            let mut command = Command::new(words.next().unwrap_or_default());
            command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
            command.stdin(Stdio::null());
            process::run(&mut command).with_context(|| {
                format!("Debian's packages for {} cannot be installed; apt-get says above why", self.purpose)
            })?;
        }
        Ok(())
    }

    /// Those that are not installed.
    pub fn missing(&self) -> Result<Vec<&'static str>> {
        let mut missing = Vec::new();
        for &package in self.names {
            let mut query = Command::new("dpkg-query");
            query.args(["--show", "--showformat=${db:Status-Status}", package]);
            // For a package that dpkg has never heard of it ends with a failure.
            let Ok(output) = query.output() else {
                bail!("this is not Debian (there is no dpkg-query). {}", self.elsewhere);
            };
            if output.stdout != b"installed" {
                missing.push(package);
            }
        }
        Ok(missing)
    }
}
