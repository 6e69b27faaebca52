//! Finds the script that the command line names, and its language.

use crate::cli::{Cli, Inline};
use crate::script::Language;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use wasmtime::error::Context;
use wasmtime::{Result, bail};

/// A script, before anything is granted to it.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    pub language: Language,
    /// The name among its arguments and in tracebacks.
    pub name: String,
    pub text: Vec<u8>,
    /// Where its modules are looked up first.
    pub dir: Option<PathBuf>,
    /// The directory of its package, if that is another.
    pub root: Option<PathBuf>,
}

/// The script that is named, none if the file is a component.
pub fn find(cli: &mut Cli) -> Result<Option<Source>> {
    if let Some(Inline { language, name, text }) = cli.take_inline() {
        // As Python and Node: modules are those of the working directory.
        let dir = Some(PathBuf::from("."));
        return Ok(Some(Source { language, name: name.into(), text: text.into(), dir, root: None }));
    }
    let file = cli.file();
    let Some(name) = cli.args().first() else {
        return Ok(None);
    };
    if name == "-" {
        let mut text = Vec::new();
        io::stdin().read_to_end(&mut text).context("the script on standard input cannot be read")?;
        let Some(language) = cli.language.or_else(|| Language::of_first_line(&text)) else {
            bail!(
                "the language of the script on standard input is not known: --language python would tell it"
            );
        };
        let name = if language == Language::Python { "-" } else { "[stdin]" };
        return Ok(Some(Source { language, name: name.into(), text, dir: None, root: None }));
    }
    if file.is_dir() {
        return in_directory(file, cli.language).map(Some);
    }
    let Some(language) = cli.language.or_else(|| Language::of(file)) else {
        let Some(start) = start_of_script(file) else {
            return Ok(None);
        };
        return match Language::of_first_line(&start) {
            Some(language) => in_file(name, language).map(Some),
            None if start.starts_with(b"#!") => {
                bail!(
                    "the first line of {name} does not tell its language; --language python or \
                     --language javascript would"
                )
            }
            None if file.extension().is_some_and(|extension| extension == "cjs" || extension == "cts") => {
                bail!(
                    "{name} is a script in CommonJS, which uv-run does not know: a script is an ES module, \
                     which uses `import` and is named .mjs or .js"
                )
            }
            None => bail!(
                "{name} is no WebAssembly, and its name does not tell the language of a script; \
                 --language python or --language javascript would"
            ),
        };
    };
    in_file(name, language).map(Some)
}

/// The script in a file.
fn in_file(name: &str, language: Language) -> Result<Source> {
    let text = std::fs::read(name).with_context(|| format!("{name} cannot be read"))?;
    // As Python and Node: beside the file that a symbolic link leads to.
    let real = Path::new(name).canonicalize().with_context(|| format!("{name} cannot be read"))?;
    let dir = real.parent().map(Path::to_owned);
    Ok(Source { language, name: name.to_owned(), text, dir, root: None })
}

/// The script of a directory: that of Python, or that of Node.
fn in_directory(dir: &Path, language: Option<Language>) -> Result<Source> {
    let shown = dir.display();
    let main = |language, file: PathBuf| match file.to_str() {
        Some(name) => in_file(name, language),
        None => bail!("{shown} has a name that is no UTF-8"),
    };
    let python = dir.join("__main__.py");
    if language != Some(Language::JavaScript) && python.is_file() {
        return main(Language::Python, python);
    }
    if language != Some(Language::Python)
        && let Some(file) = main_of_package(dir)?
    {
        let source = main(Language::JavaScript, file)?;
        let root = Some(dir.to_owned()).filter(|root| root.canonicalize().ok() != source.dir);
        return Ok(Source { root, ..source });
    }
    bail!(
        "{shown} is a directory with neither __main__.py nor index.js, nor a package.json that names another file"
    )
}

/// The main file of a package of JavaScript: that of its `package.json`, or `index.js`.
fn main_of_package(dir: &Path) -> Result<Option<PathBuf>> {
    let manifest = dir.join("package.json");
    let named = match std::fs::read(&manifest) {
        Ok(text) => {
            let shown = manifest.display();
            let package: serde_json::Value = serde_json::from_slice(&text)
                .map_err(|error| wasmtime::Error::msg(format!("{shown}: {error}")))?;
            package.get("main").and_then(serde_json::Value::as_str).map(|main| dir.join(main))
        }
        Err(_) => None,
    };
    // As Node: the file, with an extension, or the index of a directory.
    let named = named.into_iter().flat_map(|main| {
        let mut with_extension = main.clone().into_os_string();
        with_extension.push(".js");
        [main.clone(), with_extension.into(), main.join("index.js")]
    });
    let index = ["index.js", "index.mjs", "index.ts"].map(|name| dir.join(name));
    // The main file's directory is granted, so it has to be one of the package.
    let root = dir.canonicalize().with_context(|| format!("{} cannot be opened", dir.display()))?;
    let is_inside = |file: &PathBuf| file.canonicalize().is_ok_and(|file| file.starts_with(&root));
    Ok(named.chain(index).find(|file| file.is_file() && is_inside(file)))
}

/// The beginning of a file that is text, unless its name or its text is that of a component.
fn start_of_script(file: &Path) -> Option<Vec<u8>> {
    if file.extension().is_some_and(|extension| extension == "wasm" || extension == "wat") {
        return None;
    }
    let mut start = Vec::new();
    File::open(file).ok()?.take(256).read_to_end(&mut start).ok()?;
    let is_text = !start.is_empty() && !start.contains(&0) && !start.trim_ascii_start().starts_with(b"(");
    is_text.then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn found(line: &[&str]) -> Result<Option<Source>> {
        find(&mut Cli::parse_from([&["uv-run"], line].concat()))
    }

    #[test]
    fn the_first_line_tells_the_language() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("script");
        let name = file.to_str().unwrap();
        for (text, language) in [
            ("#!/usr/bin/env python3\n", Some(Language::Python)),
            ("#!/usr/bin/python3.14 -u\n", Some(Language::Python)),
            ("#! /usr/bin/env -S node --flag\n", Some(Language::JavaScript)),
            ("\0asm", None),
            ("(component)", None),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(found(&[name]).unwrap().map(|source| source.language), language, "{text}");
            let source = found(&["--language", "javascript", name]).unwrap().unwrap();
            assert_eq!(source.language, Language::JavaScript);
        }
        let component = dir.path().join("script.wasm");
        std::fs::write(&component, "#!/bin/sh\n").unwrap();
        assert_eq!(found(&[component.to_str().unwrap()]).unwrap(), None);
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        let error = found(&[name]).unwrap_err().to_string();
        assert!(error.contains("does not tell its language; --language"), "{error}");
        for (name, expected) in [("a.txt", "--language python"), ("a", "--language"), ("a.cjs", "CommonJS")] {
            let file = dir.path().join(name);
            std::fs::write(&file, "print()\n").unwrap();
            let error = found(&[file.to_str().unwrap()]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_directory_has_a_main_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let root = dir.path().to_str().unwrap();
        let main = |options: &[&str]| {
            let source = found(&[options, &[root]].concat()).unwrap().unwrap();
            let name = source.name.strip_prefix(root).unwrap().replace('\\', "/");
            (source.language, name, source.root.is_some())
        };
        let error = found(&[root]).unwrap_err().to_string();
        assert!(error.contains("neither __main__.py nor index.js"), "{error}");

        std::fs::write(path("index.js"), "").unwrap();
        assert_eq!(main(&[]), (Language::JavaScript, "/index.js".into(), false));
        std::fs::create_dir(path("lib")).unwrap();
        std::fs::write(path("lib/app.js"), "").unwrap();
        std::fs::write(path("package.json"), "{\"main\": \"lib/app\"}").unwrap();
        assert_eq!(main(&[]), (Language::JavaScript, "/lib/app.js".into(), true));
        std::fs::write(path("package.json"), "{\"main\": \"missing\"}").unwrap();
        assert_eq!(main(&[]), (Language::JavaScript, "/index.js".into(), false));
        let other = tempfile::tempdir().unwrap();
        std::fs::write(other.path().join("other.js"), "").unwrap();
        let outside = format!("{{\"main\": {:?}}}", other.path().join("other.js").to_str().unwrap());
        std::fs::write(path("package.json"), outside).unwrap();
        assert_eq!(main(&[]), (Language::JavaScript, "/index.js".into(), false));
        std::fs::write(path("__main__.py"), "").unwrap();
        assert_eq!(main(&[]), (Language::Python, "/__main__.py".into(), false));
        assert_eq!(main(&["--language=javascript"]), (Language::JavaScript, "/index.js".into(), false));
        std::fs::write(path("package.json"), "{").unwrap();
        let error = found(&["--language=javascript", root]).unwrap_err().to_string();
        assert!(error.contains("package.json: ") && !error.contains('\n'), "{error}");
    }
}
