//! `cargo xtask javascript`: the JavaScript runtime, a component with QuickJS on the Rust SDK.
//!
//! The C compiler for QuickJS is Zig's, from PyPI: it brings WASI's headers with it. It goes into a
//! virtual environment of its own, target/javascript/venv.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::guests;
use crate::process::{self, say};
use crate::profile::Profile;
use crate::python;
use crate::toolchain::{Target, Toolchain, Way};
use crate::uv_run;
use crate::workspace::Workspace;

/// The package of PyPI that has the C compiler.
const COMPILER: &str = "ziglang==0.17.1";

/// The package of npm that checks types.
const TYPESCRIPT: &str = "typescript@5.9";

/// The package of the runtime, and the name of its component for the compiler.
const RUNTIME: (&str, &str) = ("uv-handles-javascript-component", "uv_javascript_component.wasm");

/// Those of the runtime as a plugin of the example server.
const PLUGIN: (&str, &str) = ("javascript-plugin", "javascript_plugin.wasm");

/// The program that initializes a component, and stores it in that state.
const IMAGE: &str = "uv-javascript-image";

/// Compiles C: without the target that the crate `cc` passes, whose name Zig does not know, and
/// after [`HEADER`].
const CC: &str = r#"#!/bin/sh
for arg; do
    shift
    case $arg in
    --target=*) ;;
    *) set -- "$@" "$arg" ;;
    esac
done
exec "PYTHON" -m ziglang cc -target wasm32-wasi -include "HEADER" "$@"
"#;

/// Where `__wasi__` is defined, QuickJS lets scripts use any amount of stack, until they overwrite
/// memory that is not theirs. The headers of the C library need the macro, and QuickJS itself does
/// not.
const HEADER: &str = "
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#undef __wasi__
/* This C library has malloc_usable_size too. */
#define __GLIBC__ 2
";

const AR: &str = r#"#!/bin/sh
exec "PYTHON" -m ziglang ar "$@"
"#;

/// Builds the runtime, unless it is up to date. Returns its file. The profile is that of wasmtime,
/// which initializes the runtime.
pub fn build(workspace: &Workspace, forced: Option<Way>, profile: Profile) -> Result<PathBuf> {
    let runtime = dir(workspace).join("uv-javascript.wasm");
    initialize(workspace, profile, &compile(workspace, forced, RUNTIME)?, &[], &runtime)?;
    say(format_args!("the JavaScript runtime is {}", runtime.display()));
    Ok(runtime)
}

/// Builds a plugin for the example server: its script, and modules that are beside it.
pub fn build_plugin(
    workspace: &Workspace,
    forced: Option<Way>,
    files: &[PathBuf],
    output: &Path,
) -> Result<()> {
    initialize(workspace, Profile::Quick, &compile(workspace, forced, PLUGIN)?, files, output)?;
    say(format_args!("the plugin is {}", output.display()));
    Ok(())
}

/// Builds the plugins that the tests of the example server run. Returns their directory.
pub fn build_test_plugins(workspace: &Workspace, forced: Option<Way>) -> Result<PathBuf> {
    let component = compile(workspace, forced, PLUGIN)?;
    let plugins = dir(workspace).join("plugins");
    fs::create_dir_all(&plugins).with_context(|| format!("cannot make {}", plugins.display()))?;
    let root = |files: &[&str]| files.iter().map(|file| workspace.root.join(file)).collect::<Vec<_>>();
    let example = root(&["examples/javascript/plugin.js"]);
    initialize(workspace, Profile::Quick, &component, &example, &plugins.join("words.wasm"))?;
    let tested = root(&["tests/javascript/plugin/plugin.js", "tests/javascript/data.mjs"]);
    initialize(workspace, Profile::Quick, &component, &tested, &plugins.join("plugin.wasm"))?;
    Ok(plugins)
}

fn dir(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("javascript")
}

/// Stores a component in the state that it has after its initialization, with files for its script.
fn initialize(
    workspace: &Workspace,
    profile: Profile,
    component: &Path,
    files: &[PathBuf],
    output: &Path,
) -> Result<()> {
    let program = uv_run::build_program(workspace, profile, IMAGE)?;
    let image = tempfile::NamedTempFile::new()?;
    process::run(Command::new(program).arg(component).arg(image.path()).args(files))?;
    let image = fs::read(image.path())?;
    guests::put(output, &image).map(drop)
}

/// Compiles a component with QuickJS. Returns its file.
fn compile(workspace: &Workspace, forced: Option<Way>, (package, artifact): (&str, &str)) -> Result<PathBuf> {
    let dir = dir(workspace);
    let tools = python::environment(workspace, &dir.join("venv"), COMPILER)?;
    let python = tools.join("python");
    let header = write(&dir, "quickjs.h", HEADER, 0o644)?;
    let program = |name: &str, text: &str| {
        let text = text.replace("PYTHON", &python.to_string_lossy());
        write(&dir, name, &text.replace("HEADER", &header.to_string_lossy()), 0o755)
    };
    let (cc, ar) = (program("cc", CC)?, program("ar", AR)?);
    let toolchain = Toolchain::ensure(workspace, Target::Wasip2, forced)?;
    say(format_args!("building {package} (the first time, some minutes; {})", toolchain.describe()));
    let mut cargo = toolchain.cargo_build(Profile::Release)?;
    cargo.args(["--package", package]);
    cargo.env("CC_wasm32_wasip2", cc).env("AR_wasm32_wasip2", ar);
    // Otherwise the build of rquickjs downloads a compiler itself.
    cargo.env("RQUICKJS_SYS_NO_WASI_SDK", "1");
    process::run(&mut cargo)?;
    Ok(toolchain.artifacts(Profile::Release).join(artifact))
}

/// Checks the TypeScript declarations, with the compiler from npm's registry. Where that cannot be
/// had, a message says so.
pub fn check_types(workspace: &Workspace) -> Result<()> {
    let dir = workspace.target_dir.join("javascript/typescript");
    let tsc = dir.join("node_modules/.bin/tsc");
    let stamp = dir.join("installed");
    if !fs::read(&stamp).is_ok_and(|installed| installed == TYPESCRIPT.as_bytes()) {
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let mut install = Command::new("npm");
        install.args(["install", "--no-save", "--no-audit", "--no-fund", "--silent", TYPESCRIPT]);
        if let Err(error) = process::run(install.arg("--prefix").arg(&dir).current_dir(&dir)) {
            say(format_args!("skipped: the TypeScript declarations are not checked: {error:#}"));
            return Ok(());
        }
        fs::write(&stamp, TYPESCRIPT).with_context(|| format!("cannot write {}", stamp.display()))?;
    }
    let mut check = Command::new(tsc);
    check.arg("--project").arg(workspace.root.join("guest-sdk/javascript/types"));
    say(format_args!("running {}", process::shown(&check)));
    process::run(&mut check)
}

/// Writes a file of the compiler. Its text is part of its name, so that cargo builds C again when
/// it has changed.
fn write(dir: &Path, name: &str, text: &str, mode: u32) -> Result<PathBuf> {
    let file = dir.join(format!("{}-{name}", python::hash(text.as_bytes())));
    if !file.is_file() {
        fs::write(&file, text)
            .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(mode)))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(file)
}
