//! The WIT package: it is valid, every item of it is documented, and its worlds have the shape that
//! guests rely on.

use std::path::Path;
use wit_parser::{Docs, PackageId, Resolve, Stability, TypeDefKind, WorldItem, WorldKey};

/// The version of the WIT package. It is apart from the crates' version.
const VERSION: &str = "0.2.0";

fn package() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(dir).expect("the WIT package is valid");
    (resolve, package)
}

#[test]
fn the_package_has_its_name_and_version() {
    let (resolve, package) = package();
    assert_eq!(resolve.packages[package].name.to_string(), format!("uv:handles@{VERSION}"));
}

#[test]
fn the_package_for_wasi_fits() {
    let (mut resolve, _) = package();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit-wasi");
    let (package, _) = resolve.push_dir(dir).expect("the package is valid");
    let package = &resolve.packages[package];
    assert_eq!(package.name.to_string(), "uv:wasi@0.1.0");
    let interface = &resolve.interfaces[package.interfaces["pollables"]];
    assert!(interface.docs.contents.is_some() && interface.functions["create"].docs.contents.is_some());
}

#[test]
fn every_item_is_documented() {
    let (resolve, package) = package();
    let mut undocumented = Vec::new();
    let mut check = |what: String, docs: &Docs| {
        if docs.contents.as_deref().is_none_or(|text| text.trim().is_empty()) {
            undocumented.push(what);
        }
    };
    let package = &resolve.packages[package];
    check("the package".into(), &package.docs);
    for (name, &world) in &package.worlds {
        check(format!("world {name}"), &resolve.worlds[world].docs);
    }
    for (name, &interface) in &package.interfaces {
        let interface = &resolve.interfaces[interface];
        check(format!("interface {name}"), &interface.docs);
        for (function, item) in &interface.functions {
            check(format!("{name}: {function}"), &item.docs);
        }
        for (type_name, &id) in &interface.types {
            let item = &resolve.types[id];
            // An item of a `use` is documented where it is from.
            if matches!(item.kind, TypeDefKind::Type(_)) && item.docs.contents.is_none() {
                continue;
            }
            check(format!("{name}: {type_name}"), &item.docs);
            match &item.kind {
                TypeDefKind::Record(record) => {
                    record.fields.iter().for_each(|it| check(format!("{type_name}.{}", it.name), &it.docs));
                }
                TypeDefKind::Flags(flags) => {
                    flags.flags.iter().for_each(|it| check(format!("{type_name}.{}", it.name), &it.docs));
                }
                TypeDefKind::Variant(variant) if type_name != "any-handle" => {
                    variant.cases.iter().for_each(|it| check(format!("{type_name}.{}", it.name), &it.docs));
                }
                // libuv's names explain themselves, and each has libuv's message.
                TypeDefKind::Enum(cases) if type_name != "error-code" => {
                    cases.cases.iter().for_each(|it| check(format!("{type_name}.{}", it.name), &it.docs));
                }
                _ => {}
            }
        }
    }
    assert!(undocumented.is_empty(), "{undocumented:#?}");
}

#[test]
fn every_item_says_since_when_it_is_there() {
    let (resolve, package) = package();
    let mut unmarked = Vec::new();
    let mut check = |name: String, stability: &Stability| {
        if !matches!(stability, Stability::Stable { .. }) {
            unmarked.push(name);
        }
    };
    let package = &resolve.packages[package];
    for (name, &world) in &package.worlds {
        check(format!("world {name}"), &resolve.worlds[world].stability);
    }
    for (name, &interface) in &package.interfaces {
        let interface = &resolve.interfaces[interface];
        check(format!("interface {name}"), &interface.stability);
        for (function, item) in &interface.functions {
            check(format!("{name}: {function}"), &item.stability);
        }
        for (type_name, &id) in &interface.types {
            check(format!("{name}: {type_name}"), &resolve.types[id].stability);
        }
    }
    assert!(unmarked.is_empty(), "{unmarked:#?}");
}

/// The interfaces of `uv:handles` among a world's imports or exports.
fn interfaces<'a>(
    resolve: &'a Resolve,
    items: impl Iterator<Item = (&'a WorldKey, &'a WorldItem)>,
) -> Vec<String> {
    let mut names: Vec<String> = items
        .map(|(key, item)| match item {
            WorldItem::Interface { .. } => resolve.name_world_key(key),
            other => panic!("{other:?} is not an interface"),
        })
        .collect();
    names.sort();
    names
}

/// The full names of interfaces of the package, sorted.
fn full(names: impl IntoIterator<Item = impl std::fmt::Display>) -> Vec<String> {
    let mut names: Vec<String> =
        names.into_iter().map(|name| format!("uv:handles/{name}@{VERSION}")).collect();
    names.sort();
    names
}

#[test]
fn the_worlds_differ_only_in_the_way_of_waiting() {
    let (resolve, package) = package();
    let of_package = &resolve.packages[package].interfaces;
    let alone = ["blocking", "blocking-batch", "concurrent", "plugin-loop", "plugin-events", "plugin-life"];
    let shared: Vec<&str> =
        of_package.keys().map(String::as_str).filter(|name| !alone.contains(name)).collect();
    for (name, own, exports) in [
        ("handles", &[][..], &[][..]),
        ("program", &["blocking", "blocking-batch"], &[]),
        ("async-program", &["concurrent"], &[]),
        ("plugin", &["plugin-loop"], &["plugin-events"]),
        ("supervised-plugin", &["plugin-loop"], &["plugin-events", "plugin-life"]),
    ] {
        let world = resolve.select_world(&[package], Some(name)).expect("the world is there");
        let world = &resolve.worlds[world];
        let imports = interfaces(&resolve, world.imports.iter());
        assert_eq!(imports, full(shared.iter().chain(own)), "world {name}");
        assert_eq!(interfaces(&resolve, world.exports.iter()), full(exports), "world {name}");
    }
}

#[test]
fn waiting_is_one_function_in_an_interface_of_its_own() {
    let (resolve, package) = package();
    for (name, &interface) in &resolve.packages[package].interfaces {
        let functions = &resolve.interfaces[interface].functions;
        match name.as_str() {
            "blocking-batch" => {
                assert!(
                    functions.keys().eq(["next", "next-callbacks", "next-ready"]),
                    "{name}: {functions:?}"
                )
            }
            "blocking" | "concurrent" => assert!(functions.keys().eq(["wait"]), "{name}: {functions:?}"),
            _ => {}
        }
        for (function, item) in functions {
            assert_eq!(item.kind.is_async(), name == "concurrent", "{name}: {function}");
        }
    }
}

#[test]
fn a_guest_of_the_sdk_needs_no_wasi() {
    let guests = std::env::var_os("UV_HANDLES_GUESTS").expect("run `cargo xtask test`: it builds the guests");
    let wasm =
        std::fs::read(Path::new(&guests).join("no-wasi.wasm")).expect("run `cargo xtask guests` first");
    let decoded = wit_component::decode(&wasm).expect("it is a component");
    let resolve = decoded.resolve();
    let (_, world) = resolve.worlds.iter().next_back().expect("a component has a world");
    let imports = interfaces(resolve, world.imports.iter());
    assert!(imports.contains(&format!("uv:handles/timer@{VERSION}")), "{imports:?}");
    let others: Vec<&String> = imports.iter().filter(|name| !name.starts_with("uv:handles/")).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn the_readme_shows_the_program_that_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("wit/README.md")).unwrap();
    let program = std::fs::read_to_string(root.join("tests/guests/src/bin/wit_program.rs")).unwrap();
    assert!(readme.contains(&format!("```rust\n{program}```\n")), "wit/README.md shows another program");
}
