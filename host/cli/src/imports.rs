//! A component's imports, and the options that grant them.

use crate::shown;
use std::fmt::Write;
use wasmtime::Engine;
use wasmtime::component::Component;

/// The version of the WIT package, as in wit/package.wit. It is apart from the crate's version.
const UV_HANDLES: &str = "0.2.0";

/// The version of the package with pollables, as in wit-wasi/pollables.wit.
const UV_WASI: &str = "0.1.0";

/// The versions of WASI. Any 0.2 fits, and any 0.3.
const WASI: [&str; 2] = ["0.2.0", "0.3.0"];

/// The WASI packages that uv-run has.
const WASI_PACKAGES: [&str; 7] =
    ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:http", "wasi:io", "wasi:random", "wasi:sockets"];

/// The widest column of names.
const WIDTH: usize = 80;

/// The interfaces that options restrict. Others are always granted.
const GRANTED: [(&str, &str); 12] = [
    (
        "uv:handles/descriptors",
        "--listen, --connect, --udp, --unix-listen, --unix-connect, --fifo, --stdin, --stdout-as",
    ),
    ("uv:handles/signal", "--signal"),
    ("uv:handles/async-handle", "always; named ones with --wake"),
    ("wasi:cli/environment", "the arguments always; variables with --env"),
    ("wasi:cli/stdin", "always empty; --stdin grants standard input by uv:handles/descriptors"),
    ("wasi:filesystem/preopens", "--dir, --dir-ro"),
    ("wasi:http/client", "--http"),
    ("wasi:http/outgoing-handler", "--http"),
    ("wasi:sockets/ip-name-lookup", "--name-lookup"),
    ("wasi:sockets/tcp", "--tcp-connect, --tcp-listen"),
    ("wasi:sockets/types", "--tcp-connect, --tcp-listen, --udp-send, --udp-bind"),
    ("wasi:sockets/udp", "--udp-send, --udp-bind"),
];

/// The parts of an import's name: `package/interface@version`.
struct Name<'a> {
    package: &'a str,
    /// Package and interface.
    path: &'a str,
    version: &'a str,
}

impl Name<'_> {
    fn new(name: &str) -> Name<'_> {
        let (path, version) = name.split_once('@').unwrap_or((name, ""));
        Name { package: path.split('/').next().unwrap_or(path), path, version }
    }

    /// The versions of its package that uv-run has.
    fn ours(&self) -> &'static [&'static str] {
        match self.package {
            "uv:handles" => &[UV_HANDLES],
            "uv:wasi" => &[UV_WASI],
            // WASI 0.3 does without.
            "wasi:io" => &WASI[..1],
            package if WASI_PACKAGES.contains(&package) => &WASI,
            _ => &[],
        }
    }

    /// The versions that uv-run has, for a message.
    fn shown_ours(&self) -> String {
        let each: Vec<_> = self.ours().iter().map(|ours| format!("{}@{ours}", self.package)).collect();
        each.join(" and ")
    }

    /// The reason why the import cannot be linked, as far as its name shows.
    fn problem(&self) -> Option<String> {
        let (path, version) = (self.path, self.version);
        let name = if version.is_empty() { path.to_owned() } else { format!("{path}@{version}") };
        match self.ours() {
            [] => Some(format!("it imports {}, which uv-run does not have", shown::cut(&name))),
            // Below 1.0 the second number counts.
            ours if ours.iter().any(|ours| compatible(ours) == compatible(version)) => None,
            _ => {
                let ours = self.shown_ours();
                Some(format!("it imports {}, and this uv-run has {ours}", shown::cut(&name)))
            }
        }
    }

    fn granted_by(&self) -> String {
        match (self.problem(), self.ours()) {
            (None, _) => {}
            (Some(_), []) => return "not available in uv-run".into(),
            (Some(_), _) => return format!("not available: this uv-run has {}", self.shown_ours()),
        }
        let known = GRANTED.iter().find(|(path, _)| *path == self.path);
        match known {
            Some((_, options)) => (*options).into(),
            None => "always".into(),
        }
    }
}

/// The part of a version that compatible versions share.
fn compatible(version: &str) -> Option<(&str, &str)> {
    let (major, rest) = version.split_once('.')?;
    let minor = if major == "0" { rest.split_once('.')?.0 } else { "" };
    Some((major, minor))
}

fn names(engine: &Engine, component: &Component) -> Vec<String> {
    component.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect()
}

/// The reason why an import cannot be linked, for the first such import.
pub fn problem(engine: &Engine, component: &Component) -> Option<String> {
    names(engine, component).iter().find_map(|name| Name::new(name).problem())
}

/// Whether a component imports an interface of WASI 0.3. Only an engine with async functions has
/// them.
pub fn has_wasi_0_3(engine: &Engine, component: &Component) -> bool {
    names(engine, component)
        .iter()
        .map(|name| Name::new(name))
        .any(|name| WASI_PACKAGES.contains(&name.package) && compatible(name.version) == compatible(WASI[1]))
}

/// Whether a component exports an interface, in any version.
pub fn exports(engine: &Engine, component: &Component, path: &str) -> bool {
    component.component_type().exports(engine).any(|(name, _)| Name::new(name).path == path)
}

/// All imports, one per line, with the options that grant them.
pub fn list(engine: &Engine, component: &Component) -> String {
    let names = names(engine, component);
    // A component may have one very long name, and many short ones.
    let width = names.iter().map(String::len).max().unwrap_or(0).min(WIDTH);
    let mut list = String::new();
    for name in &names {
        let _ = writeln!(list, "{name:width$}  {}", Name::new(name).granted_by());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_contracts() {
        let package = include_str!("../../../wit/package.wit");
        assert!(package.contains(&format!("package uv:handles@{UV_HANDLES};")));
        let package = include_str!("../../../wit-wasi/pollables.wit");
        assert!(package.contains(&format!("package uv:wasi@{UV_WASI};")));
    }

    #[test]
    fn a_name_tells_whether_it_can_be_linked() {
        for good in [
            "uv:handles/timer@0.2.0",
            "uv:handles/timer@0.2.7",
            "uv:wasi/pollables@0.1.0",
            "wasi:io/poll@0.2.9",
            "wasi:http/types@0.3.0",
        ] {
            assert_eq!(Name::new(good).problem(), None);
        }
        for bad in [
            "uv:handles/timer",
            "uv:handles/timer@0.1.0",
            "uv:handles/timer@1.2.0",
            "wasi:io/poll@0.3.0",
            "wasi:http/types@0.4.0",
            "a",
        ] {
            assert!(Name::new(bad).problem().is_some(), "{bad}");
        }
    }

    #[test]
    fn each_import_has_what_grants_it() {
        for (name, expected) in [
            ("uv:handles/timer@0.2.0", "always"),
            ("uv:handles/signal@0.2.0", "--signal"),
            ("uv:handles/signal@0.7.0", "not available: this uv-run has uv:handles@0.2.0"),
            ("wasi:sockets/tcp@0.2.3", "--tcp-connect, --tcp-listen"),
            ("wasi:http/outgoing-handler@0.2.3", "--http"),
            ("acme:a/b", "not available in uv-run"),
        ] {
            assert_eq!(Name::new(name).granted_by(), expected);
        }
    }
}
