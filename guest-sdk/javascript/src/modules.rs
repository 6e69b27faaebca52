//! Modules: those of the runtime, and those of the script's directories.

mod import;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use rquickjs::function::Constructor;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::{Declarations, Declared, Exports, ModuleDef};
use rquickjs::{Ctx, Error, Module, Object, Persistent, Result};

/// The runtime's own modules, which scripts cannot import.
const INTERNAL: &[(&str, &str)] = &[
    ("runtime:abort", include_str!("../js/abort.js")),
    ("runtime:bytes", include_str!("../js/bytes.js")),
    ("runtime:clone", include_str!("../js/clone.js")),
    ("runtime:console", include_str!("../js/console.js")),
    ("runtime:emitter", include_str!("../js/emitter.js")),
    ("runtime:encoding", include_str!("../js/encoding.js")),
    ("runtime:errors", include_str!("../js/errors.js")),
    ("runtime:events", include_str!("../js/events.js")),
    ("runtime:fetch", include_str!("../js/fetch.js")),
    ("runtime:fetch/body", include_str!("../js/fetch/body.js")),
    ("runtime:fetch/exchange", include_str!("../js/fetch/exchange.js")),
    ("runtime:fetch/headers", include_str!("../js/fetch/headers.js")),
    ("runtime:fetch/request", include_str!("../js/fetch/request.js")),
    ("runtime:fetch/response", include_str!("../js/fetch/response.js")),
    ("runtime:immediates", include_str!("../js/immediates.js")),
    ("runtime:inspect", include_str!("../js/inspect.js")),
    ("runtime:main", include_str!("../js/main.js")),
    ("runtime:process", include_str!("../js/process.js")),
    ("runtime:readline", include_str!("../js/readline.js")),
    ("runtime:stack", include_str!("../js/stack.js")),
    ("runtime:stdin", include_str!("../js/stdin.js")),
    ("runtime:ticks", include_str!("../js/ticks.js")),
    ("runtime:timers", include_str!("../js/timers.js")),
    ("runtime:url", include_str!("../js/url.js")),
    ("runtime:uv", include_str!("../js/uv.js")),
    ("runtime:uv/async_handle", include_str!("../js/uv/async_handle.js")),
    ("runtime:uv/async_sender", include_str!("../js/uv/async_sender.js")),
    ("runtime:uv/awaited", include_str!("../js/uv/awaited.js")),
    ("runtime:uv/bytes", include_str!("../js/uv/bytes.js")),
    ("runtime:uv/constants", include_str!("../js/uv/constants.js")),
    ("runtime:uv/descriptor", include_str!("../js/uv/descriptor.js")),
    ("runtime:uv/handle", include_str!("../js/uv/handle.js")),
    ("runtime:uv/loop", include_str!("../js/uv/loop.js")),
    ("runtime:uv/poll", include_str!("../js/uv/poll.js")),
    ("runtime:uv/signal", include_str!("../js/uv/signal.js")),
    ("runtime:uv/stream", include_str!("../js/uv/stream.js")),
    ("runtime:uv/timer", include_str!("../js/uv/timer.js")),
    ("runtime:uv/watchers", include_str!("../js/uv/watchers.js")),
];

/// The modules that scripts import by these names.
const PUBLIC: &[(&str, &str)] = &[
    ("node:events", include_str!("../js/node/events.js")),
    ("node:process", include_str!("../js/node/process.js")),
    ("node:readline", include_str!("../js/node/readline.js")),
    ("node:readline/promises", include_str!("../js/node/readline_promises.js")),
    ("node:timers", include_str!("../js/node/timers.js")),
    ("node:timers/promises", include_str!("../js/node/timers_promises.js")),
    ("node:url", include_str!("../js/node/url.js")),
    ("node:util", include_str!("../js/node/util.js")),
    ("uv", include_str!("../js/node/uv.js")),
];

/// The module that makes the globals, and runs scripts.
pub const MAIN: &str = "runtime:main";

/// The module with the functions of this crate.
const NATIVE: &str = "runtime:native";

thread_local! {
    static SCRIPT: RefCell<Script> = const { RefCell::new(Script::none()) };
    /// The text of the script's modules by name, for the excerpts of error messages.
    static TEXTS: RefCell<HashMap<String, String>> = RefCell::default();
    /// Files of the image: the script of a plugin, and what it imports.
    static KEPT: RefCell<Vec<(String, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
    /// The namespaces of internal modules that were loaded on demand.
    static LOADED: RefCell<BTreeMap<String, Persistent<Object<'static>>>> =
        const { RefCell::new(BTreeMap::new()) };
}

/// The main module of the script.
struct Script {
    name: String,
    /// Where modules are looked up.
    path: Vec<String>,
}

impl Script {
    const fn none() -> Script {
        Script { name: String::new(), path: Vec::new() }
    }

    /// The file that the main module is read from, if its directory is granted.
    fn file(&self) -> Option<String> {
        let name = self.name.rsplit('/').next().unwrap_or(&self.name);
        self.path.first().map(|dir| normal(&format!("{dir}/{name}")))
    }
}

/// Sets the main module, before anything is loaded.
pub fn set_script(name: &str, path: Vec<String>) {
    SCRIPT.set(Script { name: name.to_owned(), path });
}

/// The name of the main module.
pub fn script_name() -> String {
    SCRIPT.with_borrow(|script| script.name.clone())
}

/// Keeps files for the script, beside each other. The first is its main module.
pub fn keep(files: Vec<(String, Vec<u8>)>) {
    KEPT.set(files);
}

/// The main module, if there are files.
pub fn kept_main() -> Option<(String, Vec<u8>)> {
    KEPT.with_borrow(|kept| kept.first().cloned())
}

/// Reads a file of the image, or else of a directory that the host grants.
fn read(file: &str) -> std::io::Result<Vec<u8>> {
    let kept = KEPT.with_borrow(|kept| {
        let text = kept.iter().find(|(name, _)| file.strip_prefix('/') == Some(name));
        text.map(|(_, text)| text.clone())
    });
    kept.map_or_else(|| std::fs::read(file), Ok)
}

/// Declares a module of the script's.
pub fn declare<'js>(ctx: &Ctx<'js>, name: &str, text: String) -> Result<Module<'js>> {
    // `#!` is a comment for the engine already.
    TEXTS.with_borrow_mut(|texts| texts.insert(name.to_owned(), text.clone()));
    let text = if is_typescript(name) { erase_types(ctx, name, &text)? } else { text };
    let module = Module::declare(ctx.clone(), name, text)?;
    let file = SCRIPT.with_borrow(|script| match name == script.name {
        true => script.file().unwrap_or_else(|| name.to_owned()),
        false => name.to_owned(),
    });
    let meta = module.meta()?;
    meta.set("url", format!("file://{}{file}", if file.starts_with('/') { "" } else { "/" }))?;
    meta.set("dirname", file.rsplit_once('/').map_or("", |(dir, _)| dir))?;
    meta.set("filename", file)?;
    Ok(module)
}

/// Whether a module is in TypeScript, whose types are erased.
fn is_typescript(name: &str) -> bool {
    name.ends_with(".ts") || name.ends_with(".mts")
}

/// The JavaScript of a module in TypeScript, in which everything keeps its place.
fn erase_types(ctx: &Ctx<'_>, name: &str, text: &str) -> Result<String> {
    uv_handles_typescript::erase(text).map_err(|refused| {
        let throw = || {
            let class: Constructor<'_> = ctx.globals().get("SyntaxError")?;
            let error: Object<'_> = class.construct((refused.message.as_str(),))?;
            let uv_handles_typescript::Refused { message, line, column } = &refused;
            error.set("stack", format!("SyntaxError: {message}\n    at {name}:{line}:{column}"))?;
            Ok(ctx.throw(error.into_value()))
        };
        throw().unwrap_or_else(|error| error)
    })
}

/// Gives an error of linking modules the place of the import. The engine names only the module that
/// lacks the export.
pub fn add_place(ctx: &Ctx<'_>, error: Error) -> Error {
    if !error.is_exception() {
        return error;
    }
    let thrown = ctx.catch();
    if let Some(object) = thrown.as_object()
        && let Ok(message) = object.get::<_, String>("message")
        && let Some(rest) = message.strip_prefix("Could not find export '")
        && let Some((export, _)) = rest.split_once('\'')
        && let Some(place) = TEXTS.with_borrow(|texts| {
            texts.iter().find_map(|(name, text)| {
                let (line, column) = import::place(text, export)?;
                Some(format!("{name}:{line}:{column}"))
            })
        })
    {
        // Without a place, the error is the same.
        let _ = object.set("stack", format!("SyntaxError: {message}\n    at {place}"));
    }
    ctx.throw(thrown)
}

/// A line of a module's text. Lines are counted from 1.
pub fn line(name: &str, number: usize) -> Option<String> {
    TEXTS.with_borrow(|texts| {
        Some(texts.get(name)?.lines().nth(number.checked_sub(1)?)?.trim_end().to_owned())
    })
}

/// Evaluates an internal module that none of the others imports, and returns its namespace.
pub fn load<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Object<'js>> {
    if let Some(loaded) = LOADED.with_borrow(|loaded| loaded.get(name).cloned()) {
        return loaded.restore(ctx);
    }
    let text = find(INTERNAL, name).ok_or_else(|| Error::new_loading(name))?;
    let (module, promise) = Module::declare(ctx.clone(), name, text)?.eval()?;
    promise.finish::<()>()?;
    let namespace = module.namespace()?;
    let kept = Persistent::save(ctx, namespace.clone());
    LOADED.with_borrow_mut(|loaded| loaded.insert(name.to_owned(), kept));
    Ok(namespace)
}

fn find(table: &[(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Resolves and loads modules.
pub struct Modules;

impl Resolver for Modules {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        let is_internal = |name: &str| name.starts_with("runtime:");
        if is_internal(name) && (is_internal(base) || find(PUBLIC, base).is_some()) {
            return Ok(name.to_owned());
        }
        for public in [name.to_owned(), format!("node:{name}")] {
            if find(PUBLIC, &public).is_some() {
                return Ok(public);
            }
        }
        if name.starts_with("node:") {
            let message = format!("No such built-in module: {name} imported from {base}{}", instead_of(name));
            return Err(failed(ctx, "ERR_UNKNOWN_BUILTIN_MODULE", message));
        }
        let relative = name.strip_prefix("file://").unwrap_or(name);
        if !(relative.starts_with("./") || relative.starts_with("../") || relative.starts_with('/')) {
            let message = format!("Cannot find package '{name}' imported from {base}{}", instead_of(name));
            return Err(failed(ctx, "ERR_MODULE_NOT_FOUND", message));
        }
        SCRIPT.with_borrow(|script| {
            let file = match (relative.starts_with('/'), base == script.name) {
                (true, _) => Some(normal(relative)),
                (false, false) => base.rsplit_once('/').map(|(dir, _)| normal(&format!("{dir}/{relative}"))),
                // The first directory that has the file.
                (false, true) => {
                    let files = script.path.iter().map(|dir| normal(&format!("{dir}/{relative}")));
                    let files: Vec<_> = files.collect();
                    let found = files.iter().find(|file| std::fs::metadata(file).is_ok());
                    found.or(files.first()).cloned()
                }
            };
            match file {
                Some(file) if script.file().as_ref() == Some(&file) => Ok(script.name.clone()),
                Some(file) => Ok(file),
                None => {
                    let message =
                        format!("Cannot find module '{name}' imported from {base}: no directory is granted");
                    Err(failed(ctx, "ERR_MODULE_NOT_FOUND", message))
                }
            }
        })
    }
}

impl Loader for Modules {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        attributes: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        if name == NATIVE {
            return Module::declare_def::<Native, _>(ctx.clone(), name);
        }
        if let Some(text) = find(INTERNAL, name).or_else(|| find(PUBLIC, name)) {
            return Module::declare(ctx.clone(), name, text);
        }
        let text = match read(name) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => {
                let message = format!("Cannot find module '{name}': {error}");
                return Err(failed(ctx, "ERR_MODULE_NOT_FOUND", message));
            }
        };
        let kind = attributes.map(|attributes| attributes.get_type()).transpose()?.flatten();
        match (kind.as_deref(), name.ends_with(".json")) {
            (None, false) => declare(ctx, name, text),
            (Some("json"), true) => {
                ctx.json_parse(text.clone())?;
                // A string literal: as an expression, a member `__proto__` would be the prototype.
                let literal = ctx.json_stringify(text)?.map_or(Ok(String::new()), |text| text.to_string())?;
                Module::declare(ctx.clone(), name, format!("export default JSON.parse({literal});"))
            }
            (None, true) => {
                let message = format!("Module \"{name}\" needs an import attribute of \"type: json\"");
                Err(failed(ctx, "ERR_IMPORT_ATTRIBUTE_MISSING", message))
            }
            (Some(kind), _) => {
                let message = format!("Module \"{name}\" is not of type \"{kind}\"");
                Err(failed(ctx, "ERR_IMPORT_ATTRIBUTE_TYPE_INCOMPATIBLE", message))
            }
        }
    }
}

/// The rest of a message about a module of Node that the sandbox does not have.
fn instead_of(name: &str) -> &'static str {
    match name.strip_prefix("node:").unwrap_or(name) {
        "net" | "tls" | "dgram" => ": sockets are descriptors of the module \"uv\"",
        "http" | "https" | "http2" => ": requests are sent by fetch, and sockets are in the module \"uv\"",
        "buffer" => ": bytes are Uint8Array",
        "fs" | "fs/promises" | "child_process" | "worker_threads" | "cluster" => {
            ": the sandbox has no such thing"
        }
        _ => "",
    }
}

/// An error with a code, as Node's loader throws them.
fn failed(ctx: &Ctx<'_>, code: &str, message: String) -> Error {
    let throw = || {
        let class: Constructor<'_> = ctx.globals().get("Error")?;
        let error: Object<'_> = class.construct((message,))?;
        error.set("code", code)?;
        Ok(ctx.throw(error.into_value()))
    };
    throw().unwrap_or_else(|error| error)
}

/// A path without `.`, `..` and empty parts.
fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// The module of native functions: one default export, an object.
struct Native;

impl ModuleDef for Native {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        declarations.declare("default").map(drop)
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        exports.export("default", crate::native::functions(ctx)?).map(drop)
    }
}
