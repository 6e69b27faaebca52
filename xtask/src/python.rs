//! `cargo xtask python`: the Python runtime, a component with CPython and the package `uv`, and the checks
//! of its types.
//!
//! All that it takes comes from PyPI into a virtual environment of its own, target/python/venv, which a Python of
//! the machine makes. Built is only what has changed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::debian::Packages;
use crate::process::{self, say};
use crate::workspace::Workspace;

/// mypy takes seconds. A longer run hangs.
const MYPY_LIMIT: Duration = Duration::from_secs(300);

/// The packages that go into the component.
const PACKAGES: [&str; 2] = ["uv", "uv_runtime"];

/// Debian's Python. The module for virtual environments is a package of its own.
const DEBIAN: Packages = Packages {
    names: &["python3", "python3-venv"],
    purpose: "making a virtual environment of Python",
    elsewhere: "Building the Python runtime needs python3 in the PATH, 3.10 or later, with the modules venv and \
                ensurepip",
};

/// Builds the runtime, unless it is up to date. Returns its file.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    let python = Python::new(workspace);
    let runtime = python.dir.join("uv-python.wasm");
    let inputs = python.inputs()?;
    if runtime.is_file() && python.is_stamped("runtime", &inputs) {
        say(format_args!("the Python runtime is up to date: {}", runtime.display()));
        return Ok(runtime);
    }
    python.ensure_tools()?;
    say("building the Python runtime (half a minute)");
    // Only the files of the package, without the caches of Python.
    let app = python.dir.join("app");
    renew(&app)?;
    for package in PACKAGES {
        copy(&python.sources.join(package), &app.join(package))?;
    }
    let fresh = python.dir.join("uv-python.wasm.new");
    let mut componentize = python.componentize();
    componentize.arg("componentize").arg("--python-path").arg(&app);
    componentize.arg("uv_runtime").arg("--output").arg(&fresh);
    process::run(&mut componentize)?;
    fs::rename(&fresh, &runtime).with_context(|| format!("cannot write {}", runtime.display()))?;
    python.stamp("runtime", &inputs)?;
    say(format_args!("the Python runtime is {}", runtime.display()));
    Ok(runtime)
}

/// Checks the types of the package, of its tests and of the examples, with `mypy --strict`.
pub fn check_types(workspace: &Workspace) -> Result<()> {
    let python = Python::new(workspace);
    let bindings = generate_bindings(workspace)?;
    let root = &workspace.root;
    let (tests, examples) = (root.join("tests/python"), root.join("examples/python"));
    for paths in [PACKAGES.map(|package| python.sources.join(package)).to_vec(), vec![tests], vec![examples]]
    {
        let mut mypy = Command::new(python.program("mypy"));
        mypy.arg("--config-file").arg(python.sources.join("pyproject.toml"));
        mypy.arg("--cache-dir").arg(python.dir.join("mypy-cache"));
        mypy.args(paths);
        let searched = std::env::join_paths([&bindings, &python.sources])?;
        mypy.current_dir(root).env("MYPYPATH", searched);
        say(format_args!("running {}", process::shown(&mypy)));
        run_within(&mut mypy, MYPY_LIMIT)?;
    }
    Ok(())
}

/// Writes the bindings of the runtime's world, with types and documentation, below target. Returns
/// their directory.
pub fn generate_bindings(workspace: &Workspace) -> Result<PathBuf> {
    let python = Python::new(workspace);
    python.ensure_tools()?;
    let bindings = python.dir.join("bindings");
    renew(&bindings)?;
    process::run(python.componentize().arg("bindings").arg(&bindings))?;
    Ok(bindings)
}

/// Installs the packages of tests/python/libraries.txt below target, unless they are there.
pub fn install_libraries(workspace: &Workspace) -> Result<()> {
    let python = Python::new(workspace);
    let requirements = workspace.root.join("tests/python/libraries.txt");
    let wanted =
        fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let libraries = python.dir.join("libraries");
    if libraries.is_dir() && python.is_stamped("libraries", &wanted) {
        return Ok(());
    }
    python.ensure_tools()?;
    say("getting Python packages for the tests from PyPI");
    renew(&libraries)?;
    let mut install = Command::new(python.program("python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]);
    // For any interpreter: the sandbox's is another than this one.
    install.args(["--only-binary=:all:", "--python-version=3.14", "--platform=any", "--target"]);
    process::run(install.arg(&libraries).arg("--requirement").arg(&requirements))?;
    python.stamp("libraries", &wanted)
}

/// Gets the source archive of a package from PyPI into a directory.
pub fn download(workspace: &Workspace, package: &str, dir: &Path) -> Result<()> {
    let python = Python::new(workspace);
    python.ensure_tools()?;
    let mut download = Command::new(python.program("python"));
    download.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    process::run(download.arg("--no-binary=:all:").arg("--dest").arg(dir).arg(package))
}

/// Makes a virtual environment with one package of PyPI's, unless it is there. Returns the directory of its
/// programs.
pub fn environment(workspace: &Workspace, dir: &Path, package: &str) -> Result<PathBuf> {
    let stamp = dir.join("installed");
    if !fs::read(&stamp).is_ok_and(|installed| installed == package.as_bytes()) {
        say(format_args!("installing {package} with pip"));
        process::run(
            Command::new(interpreter(workspace.installs)?).args(["-m", "venv", "--clear"]).arg(dir),
        )?;
        let mut install = Command::new(dir.join("bin/python"));
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]);
        process::run(&mut install).context("it takes PyPI")?;
        fs::write(&stamp, package).with_context(|| format!("cannot write {}", stamp.display()))?;
    }
    Ok(dir.join("bin"))
}

/// Where things are.
struct Python {
    /// target/python.
    dir: PathBuf,
    /// guest-sdk/python.
    sources: PathBuf,
    /// The contract.
    wit: PathBuf,
    /// The package `uv:wasi`.
    pollables: PathBuf,
    /// guest-sdk/scripts: the interfaces of all languages' runtimes.
    scripts: PathBuf,
    /// Whether Debian's Python may be installed.
    installs: bool,
}

impl Python {
    fn new(workspace: &Workspace) -> Python {
        Python {
            dir: workspace.target_dir.join("python"),
            sources: workspace.root.join("guest-sdk/python"),
            wit: workspace.root.join("wit"),
            pollables: workspace.root.join("wit-wasi/pollables.wit"),
            scripts: workspace.root.join("guest-sdk/scripts"),
            installs: workspace.installs,
        }
    }

    /// A program of the virtual environment.
    fn program(&self, name: &str) -> PathBuf {
        self.dir.join("venv/bin").join(name)
    }

    /// Makes the virtual environment with the tools in it, unless it is there.
    fn ensure_tools(&self) -> Result<()> {
        let requirements = self.sources.join("requirements.txt");
        let wanted =
            fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
        if self.program("componentize-py").is_file() && self.is_stamped("venv", &wanted) {
            return Ok(());
        }
        let venv = self.dir.join("venv");
        let mut make = Command::new(interpreter(self.installs)?);
        say(format_args!("getting componentize-py and mypy from PyPI into {}", venv.display()));
        process::run(make.args(["-m", "venv", "--clear"]).arg(&venv))?;
        let mut install = Command::new(self.program("python"));
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        process::run(install.arg(&requirements))?;
        self.stamp("venv", &wanted)
    }

    /// componentize-py for the runtime's world.
    fn componentize(&self) -> Command {
        let mut command = Command::new(self.program("componentize-py"));
        // Each after those that it uses.
        let wasi =
            ["io", "clocks", "sockets", "http"].map(|name| self.scripts.join(format!("wasi/{name}.wit")));
        let sources = self.sources.join("wit");
        let others = [&self.pollables, &self.scripts, &sources];
        for path in [&self.wit].into_iter().chain(&wasi).chain(others) {
            command.arg("--wit-path").arg(path);
        }
        command.args(["--world", "uv:python/runtime"]);
        // It takes in the packages of a virtual environment: of this one there are none.
        command.env("VIRTUAL_ENV", self.dir.join("app"));
        command
    }

    /// All inputs of the runtime.
    fn inputs(&self) -> Result<Vec<u8>> {
        let mut files = vec![self.sources.join("requirements.txt"), self.pollables.clone()];
        for dir in PACKAGES.map(|package| self.sources.join(package)).iter().chain([
            &self.sources.join("wit"),
            &self.scripts,
            &self.wit,
        ]) {
            collect(dir, &mut files)?;
        }
        files.sort();
        let mut inputs = Vec::new();
        for file in files {
            inputs.extend(file.to_string_lossy().as_bytes());
            inputs.extend(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
        }
        Ok(inputs)
    }

    fn is_stamped(&self, name: &str, made_of: &[u8]) -> bool {
        fs::read_to_string(self.stamp_file(name)).is_ok_and(|stamp| stamp == hash(made_of))
    }

    /// Records the inputs of an output.
    fn stamp(&self, name: &str, made_of: &[u8]) -> Result<()> {
        let file = self.stamp_file(name);
        fs::write(&file, hash(made_of)).with_context(|| format!("cannot write {}", file.display()))
    }

    fn stamp_file(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.stamp"))
    }
}

/// A Python that can make virtual environments: the one in use, or Debian's.
fn interpreter(installs: bool) -> Result<&'static str> {
    let usable = || ["python3", "/usr/bin/python3"].into_iter().find(|program| makes_environments(program));
    if let Some(program) = usable() {
        return Ok(program);
    }
    say("there is no python3 that can make virtual environments; Debian's packages have one");
    DEBIAN.ensure(installs)?;
    usable().with_context(|| format!("Debian's packages do not have it. {}", DEBIAN.elsewhere))
}

fn makes_environments(program: &str) -> bool {
    let mut command = Command::new(program);
    // The last is the one that Debian has in a package of its own.
    command.args(["-c", "import sys; assert sys.version_info >= (3, 10); import venv, ensurepip"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A hash for names and stamps of files.
pub fn hash(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Makes an empty directory.
fn renew(dir: &Path) -> Result<()> {
    let renewed = match dir.exists() {
        true => fs::remove_dir_all(dir),
        false => Ok(()),
    };
    renewed.and_then(|()| fs::create_dir_all(dir)).with_context(|| format!("cannot make {}", dir.display()))
}

/// Adds the files below a directory, without the caches of Python.
fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "__pycache__" {
                collect(&entry.path(), files)?;
            }
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut files = Vec::new();
    collect(from, &mut files)?;
    for file in files {
        let copy = to.join(file.strip_prefix(from)?);
        copy.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::copy(&file, &copy))
            .with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

/// Runs a command to its end, and kills it after a time.
fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", process::shown(command)))?;
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begin.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("`{}` did not end within {limit:?}", process::shown(command));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    match status.success() {
        true => Ok(()),
        false => bail!("`{}` failed ({status})", process::shown(command)),
    }
}
