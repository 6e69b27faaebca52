//! `cargo xtask judges`, the part for JavaScript: Node's own tests of its timers, and those of the
//! Web Platform Tests that Node carries, run in the sandbox.
//!
//! They come from Debian's source package of Node. tests/judges/node has the modules that they
//! require, and the files that do not apply, each with a reason.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::javascript;
use crate::process::{self, say};
use crate::profile::Profile;
use crate::toolchain::Way;
use crate::uv_run;
use crate::workspace::Workspace;

/// Where Debian's sources are.
const SOURCES: &str = "deb-src http://deb.debian.org/debian bookworm main\n";

/// The part of Node's sources that is used.
const TIMERS: &str = "test/parallel";
const WPT: &str = "test/fixtures/wpt/html/webappapis/timers";

/// A test takes seconds at most, also on a busy machine.
const LIMIT: &str = "--timeout=60";

/// The text before and after that of a test of Node's: it is a function, as a module of
/// CommonJS is.
const BEFORE: &str = "import { require } from \"./adapter.mjs\";
const module = { exports: {} }, { exports } = module, __filename = import.meta.filename;
(function () {";
const AFTER: &str = "}).call(exports);\n";

/// Fetches the tests, runs them, and prints their figures. An error if one has failed.
pub fn run(workspace: &Workspace, forced: Option<Way>) -> Result<()> {
    let dir = fetch(workspace)?;
    run_fetched(workspace, forced, &dir)
}

/// The same as a part of the tests: where the tests cannot be fetched, a message says so.
pub fn run_if_fetched(workspace: &Workspace, forced: Option<Way>) -> Result<()> {
    match fetch(workspace) {
        Ok(dir) => run_fetched(workspace, forced, &dir),
        Err(error) => {
            say(format_args!("skipped: Node's tests of timers cannot be fetched: {error:#}"));
            Ok(())
        }
    }
}

fn run_fetched(workspace: &Workspace, forced: Option<Way>, dir: &Path) -> Result<()> {
    let runtime = javascript::build(workspace, forced, Profile::Quick)?;
    let uv_run = uv_run::build(workspace, Profile::Quick)?;
    let judges = workspace.root.join("tests/judges/node");
    let exceptions = exceptions(&judges.join("exceptions.txt"))?;
    let scripts = dir.join("scripts");
    fs::create_dir_all(&scripts).with_context(|| format!("cannot make {}", scripts.display()))?;
    for adapter in ["adapter.mjs", "wpt.mjs"] {
        fs::copy(judges.join(adapter), scripts.join(adapter)).context("cannot copy an adapter")?;
    }
    let mut unused = exceptions.clone();
    let mut failed = 0;
    for (suite, path, prefix, suffix) in
        [("node test-timers", TIMERS, "test-timers-", ".js"), ("wpt timers", WPT, "", ".any.js")]
    {
        let (mut passed, mut excepted, mut failed_here) = (0, 0, 0);
        for file in files(&dir.join("node").join(path), prefix, suffix)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if exceptions.contains(&name) {
                unused.retain(|other| *other != name);
                excepted += 1;
                continue;
            }
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let text = match suite {
                "wpt timers" => format!("import \"./wpt.mjs\";\n{text}"),
                _ => format!("{BEFORE}{text}{AFTER}"),
            };
            let script = scripts.join(format!("{name}.mjs"));
            fs::write(&script, text).with_context(|| format!("cannot write {}", script.display()))?;
            let mut command = Command::new(&uv_run);
            command.env("UV_HANDLES_JAVASCRIPT", &runtime).arg(LIMIT).arg(&script);
            let output = command.output().context("cannot start uv-run")?;
            match output.status.success() {
                true => passed += 1,
                false => {
                    eprintln!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
                    failed_here += 1;
                }
            }
        }
        println!("{suite}: passed {passed} excepted {excepted} failed {failed_here}");
        failed += failed_here;
    }
    ensure!(unused.is_empty(), "these exceptions are no tests: {}", unused.join(", "));
    ensure!(failed == 0, "{failed} of Node's tests have failed");
    Ok(())
}

/// The names in a list. Text after `#` is the reason.
fn exceptions(list: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    let names = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    Ok(names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// The files of a directory with this beginning and end, sorted.
fn files(dir: &Path, prefix: &str, suffix: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(prefix) && name.ends_with(suffix) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Fetches the tests, unless they are there. Returns their directory.
fn fetch(workspace: &Workspace) -> Result<PathBuf> {
    let dir = workspace.target_dir.join("judges/node");
    let stamp = dir.join("fetched");
    if fs::read_to_string(&stamp).is_ok_and(|fetched| fetched == SOURCES) {
        return Ok(dir);
    }
    say("fetching Node's tests of timers from Debian's sources (30 MB)");
    let lists = dir.join("lists");
    fs::create_dir_all(lists.join("partial")).with_context(|| format!("cannot make {}", lists.display()))?;
    let sources = dir.join("sources.list");
    fs::write(&sources, SOURCES).with_context(|| format!("cannot write {}", sources.display()))?;
    // The machine's own lists of packages stay as they are.
    let apt = || {
        let mut command = Command::new("apt-get");
        command.current_dir(&dir).arg("--quiet");
        for (name, value) in [
            ("Dir::Etc::sourcelist", sources.as_path()),
            ("Dir::Etc::sourceparts", Path::new("/dev/null")),
            ("Dir::State::lists", lists.as_path()),
            ("Dir::Cache", dir.as_path()),
            ("APT::Sandbox::User", Path::new("root")),
        ] {
            command.arg("-o").arg(format!("{name}={}", value.display()));
        }
        command
    };
    process::run(apt().arg("update")).context("it takes Debian's apt-get")?;
    process::run(apt().args(["source", "--download-only", "nodejs"]))
        .context("it takes Debian 12, whose source package this is")?;
    let archives = files(&dir, "nodejs_", ".orig.tar.xz")?;
    let [archive] = &archives[..] else { bail!("{} archives of Node's sources", archives.len()) };
    let unpacked = dir.join("node");
    fs::create_dir_all(&unpacked).with_context(|| format!("cannot make {}", unpacked.display()))?;
    let mut tar = Command::new("tar");
    tar.args(["--strip-components=1", "--wildcards", "-xf"]).arg(archive).arg("-C").arg(&unpacked);
    process::run(tar.arg(format!("*/{TIMERS}/test-timers-*")).arg(format!("*/{WPT}/*")))?;
    fs::write(&stamp, SOURCES).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(dir)
}
