//! Scripts: `uv-run script.py` and `uv-run script.js` run the runtime of the script's language and
//! hand it the script. The runtimes are components that `cargo xtask python` and `cargo xtask
//! javascript` build.
//!
//! A runtime exports `uv:scripts/scripts.run`, see guest-sdk/scripts/scripts.wit.

use crate::cli::{Cli, Options};
use crate::guest::Guest;
use crate::os::guest_path;
use crate::source::{self, Source};
use crate::values::Dir;
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance};
use wasmtime::error::Context;
use wasmtime::{Result, bail};

/// The interface that a runtime exports.
const SCRIPTS: &str = "uv:scripts/scripts@0.1.0";

/// A language of scripts, and where its runtime is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum Language {
    /// CPython.
    Python,
    /// QuickJS. It runs TypeScript too.
    JavaScript,
}

impl Language {
    /// The language of files with this name.
    pub fn of(file: &Path) -> Option<Language> {
        match file.extension()?.to_str()? {
            "py" => Some(Language::Python),
            "js" | "mjs" | "ts" | "mts" => Some(Language::JavaScript),
            _ => None,
        }
    }

    /// The language whose interpreter the first line of a script names: `#!/usr/bin/env python3`.
    pub fn of_first_line(text: &[u8]) -> Option<Language> {
        let line = text.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
        let line = String::from_utf8_lossy(line);
        line.split(['/', ' ', '\t', '\r']).find_map(|word| match word {
            word if word.starts_with("python") => Some(Language::Python),
            "node" | "nodejs" | "qjs" | "deno" | "bun" => Some(Language::JavaScript),
            _ => None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Language::Python => "Python",
            Language::JavaScript => "JavaScript",
        }
    }

    /// The name in commands, options and directories.
    fn key(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::JavaScript => "javascript",
        }
    }

    /// The environment variable that names the runtime.
    fn variable(self) -> &'static str {
        match self {
            Language::Python => "UV_HANDLES_PYTHON",
            Language::JavaScript => "UV_HANDLES_JAVASCRIPT",
        }
    }

    /// The runtime's file: the option's, the variable's, or the first that is there, beside uv-run
    /// or where cargo xtask puts it.
    pub fn runtime(self, options: &Options) -> Result<PathBuf> {
        let option = match self {
            Language::Python => &options.python_runtime,
            Language::JavaScript => &options.javascript_runtime,
        };
        if let Some(file) = option {
            return Ok(file.0.clone());
        }
        if let Some(file) = std::env::var_os(self.variable()) {
            return Ok(file.into());
        }
        let program = std::env::current_exe().context("uv-run does not know where it is")?;
        let places = self.places(&program);
        match places.iter().find(|file| file.is_file()) {
            Some(file) => Ok(file.clone()),
            None => bail!(
                "there is no {} runtime ({}); `cargo xtask {key}` builds it, and --{key}-runtime or {} names another \
                 place",
                self.name(),
                places.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", "),
                self.variable(),
                key = self.key(),
            ),
        }
    }

    /// Where the runtime may be: beside the program, in the `share` beside its `bin`, and in
    /// cargo's target directory, where the program is in the folder of a profile.
    fn places(self, program: &Path) -> Vec<PathBuf> {
        let Some(dir) = program.parent() else {
            return Vec::new();
        };
        let runtime = format!("uv-{}.wasm", self.key());
        let mut places = vec![dir.join(&runtime)];
        if let Some(above) = dir.parent() {
            places.push(above.join("share/uv-handles").join(&runtime));
            places.push(above.join(self.key()).join(&runtime));
        }
        places
    }
}

/// A script that is to be run.
#[derive(Debug)]
pub struct Script {
    language: Language,
    /// As the user wrote it: tracebacks show it.
    name: String,
    source: Vec<u8>,
    args: Vec<String>,
    /// Where modules are looked up, as the guest sees it.
    path: Vec<String>,
    /// Where relative paths begin, as the guest sees it.
    working_dir: Option<String>,
}

impl Script {
    /// Reads the script, if it is one that the command line names. It and its modules see only the
    /// directories that this adds to the options' grants.
    pub fn of(cli: &mut Cli) -> Result<Option<Script>> {
        let Some(Source { language, name, text, dir, root }) = source::find(cli)? else {
            return Ok(None);
        };
        let args = cli.args().iter().skip(1).cloned().collect();
        let given = cli.options.dir.first().or(cli.options.dir_ro.first());
        let given = given.map(|dir| dir.guest.clone());
        let pythonpath = cli.options.pythonpath.iter().map(|dir| dir.0.clone());
        let pythonpath = pythonpath.filter(|_| language == Language::Python);
        let is_isolated = cli.options.isolated;
        let dirs = (dir.into_iter().filter(|_| !is_isolated))
            .chain(pythonpath)
            .map(|dir| module_dir(&dir))
            .collect::<Result<Vec<_>>>()?;
        let root = root.filter(|_| !is_isolated).map(|dir| module_dir(&dir)).transpose()?;
        let path = dirs.iter().map(|dir| dir.guest.clone()).collect();
        let working_dir = given.or_else(|| working_dir(&dirs));
        cli.options.dir_ro.extend(dirs.into_iter().chain(root));
        Ok(Some(Script { language, name, source: text, args, path, working_dir }))
    }

    /// Where relative paths begin: in the first directory that an option has granted, or in
    /// uv-run's own working directory, if it was granted for the modules in it.
    pub fn working_dir(&self) -> Option<&str> {
        self.working_dir.as_deref()
    }

    /// Its language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The script together with the function of this component, the runtime, that runs it.
    pub fn in_runtime(self, runtime: &Component, file: &Path) -> Result<Ready> {
        let scripts = runtime.get_export_index(None, SCRIPTS);
        match scripts.and_then(|scripts| runtime.get_export_index(Some(&scripts), "run")) {
            Some(run) => Ok(Ready { script: self, run }),
            None => bail!(
                "{} is not the {} runtime: it does not export {SCRIPTS}",
                file.display(),
                self.language.name()
            ),
        }
    }
}

/// A script that can be run.
pub struct Ready {
    script: Script,
    run: ComponentExportIndex,
}

impl Ready {
    /// The script.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// Runs it in an instance of the runtime, and gives its exit code.
    pub fn run(&self, store: &mut Store<Guest>, instance: &Instance) -> Result<u8> {
        let Script { name, source, args, path, .. } = &self.script;
        type Params<'a> = (&'a str, &'a [u8], &'a [String], &'a [String]);
        let run = instance.get_typed_func::<Params<'_>, (u8,)>(&mut *store, self.run)?;
        Ok(run.call(store, (name, source, args, path))?.0)
    }
}

/// uv-run's own working directory, if one of these contains it.
fn working_dir(dirs: &[Dir]) -> Option<String> {
    let own = std::env::current_dir().ok()?.canonicalize().ok()?;
    dirs.iter().any(|dir| own.starts_with(&dir.host)).then(|| guest_path(&own))?
}

/// A directory of modules. Tracebacks show their files, so the guest's name is the host's.
fn module_dir(dir: &Path) -> Result<Dir> {
    let shown = dir.display();
    let host = dir.canonicalize().with_context(|| format!("the directory {shown} cannot be opened"))?;
    match guest_path(&host) {
        Some(guest) => Ok(Dir { guest, host }),
        None => bail!("the directory {shown} has a name that is no UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn of(line: &[&str]) -> (Cli, Result<Option<Script>>) {
        let mut cli = Cli::parse_from([&["uv-run"], line].concat());
        let script = Script::of(&mut cli);
        (cli, script)
    }

    #[test]
    fn a_script_is_known_by_its_name_and_brings_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        let (root, more) = (dir.path().canonicalize().unwrap(), tempfile::tempdir().unwrap());
        let file = root.join("script.py");
        std::fs::write(&file, "pass\n").unwrap();
        let (file, more) = (file.to_str().unwrap(), more.path().canonicalize().unwrap());
        let (cli, script) = of(&["--pythonpath", more.to_str().unwrap(), file, "--stdin", "a.py"]);
        let script = script.unwrap().unwrap();
        assert_eq!((&*script.name, &*script.source), (file, &b"pass\n"[..]));
        assert_eq!(script.args, ["--stdin", "a.py"]);
        assert_eq!(script.path, [&root, &more].map(|dir| guest_path(dir).unwrap()));
        let granted: Vec<_> = cli.options.dir_ro.iter().map(|dir| dir.host.clone()).collect();
        assert_eq!(granted, [root, more]);

        let (cli, script) = of(&["--isolated", file]);
        assert!(script.unwrap().unwrap().path.is_empty() && cli.options.dir_ro.is_empty());

        assert!(of(&["guest.wasm", "script.py"]).1.unwrap().is_none());
    }

    #[test]
    fn the_language_is_known_by_the_extension() {
        let dir = tempfile::tempdir().unwrap();
        let others = dir.path().to_str().unwrap();
        for (name, language) in [
            ("a.py", Language::Python),
            ("a.js", Language::JavaScript),
            ("a.b.mjs", Language::JavaScript),
            ("a.ts", Language::JavaScript),
        ] {
            let file = dir.path().join(name);
            std::fs::write(&file, "").unwrap();
            let script = of(&["--pythonpath", others, file.to_str().unwrap()]).1.unwrap().unwrap();
            assert_eq!(script.language(), language);
            // The directories of Python's modules are for Python alone.
            assert_eq!(script.path.len(), if language == Language::Python { 2 } else { 1 });
        }
    }

    #[test]
    fn what_is_not_there_is_one_sentence() {
        let error = format!("{:#}", of(&["no-such-script.py"]).1.unwrap_err());
        assert!(error.starts_with("no-such-script.py cannot be read: "), "{error}");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("script.py");
        std::fs::write(&file, "").unwrap();
        let error = of(&["--pythonpath", "no-such-directory", file.to_str().unwrap()]).1.unwrap_err();
        assert!(format!("{error:#}").starts_with("the directory no-such-directory cannot be opened"));
    }

    #[test]
    fn the_runtime_is_beside_the_program_or_where_it_is_built() {
        let places = Language::JavaScript.places(Path::new("/a/target/release/uv-run"));
        let expected = ["/a/target/release/", "/a/target/share/uv-handles/", "/a/target/javascript/"]
            .map(|dir| Path::new(dir).join("uv-javascript.wasm"));
        assert_eq!(places, expected);
    }
}
