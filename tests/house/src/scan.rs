//! A scan of Rust's text, as far as imports need it.

/// A module's path from the crate's root.
pub type Module = Vec<String>;

/// The text without comments and the contents of strings, and without `#[cfg(test)]` modules that
/// have a body. Lines stay where they are.
pub fn code_of(text: &str) -> String {
    without_test_bodies(&without_comments(text))
}

fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(raw) = raw_string(rest) {
            raw
        } else if first == '"' {
            string(rest)
        } else if let Some(length) = character(rest) {
            length
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(rest[..length].chars().filter(|&c| c == '\n'));
        rest = &rest[length..];
    }
    code
}

/// The length of a string literal.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a raw string literal, if one begins here.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?;
    let content = hashes.trim_start_matches('#');
    let count = hashes.len() - content.len();
    let content = content.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(count));
    let begin = text.len() - content.len();
    Some(content.find(&end).map_or(text.len(), |at| begin + at + end.len()))
}

/// The length of a character literal of a quote, a brace or a backslash, if one begins here.
fn character(text: &str) -> Option<usize> {
    ["'\"'", "'\\''", "'\\\"'", "'{'", "'}'", "'\\\\'"]
        .into_iter()
        .find(|literal| text.starts_with(literal))
        .map(str::len)
}

const TEST: &str = "#[cfg(test)]";

/// The name of a module, if its declaration begins the text, and the text after the name.
fn declaration(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let text = text.strip_prefix("pub ").or_else(|| text.strip_prefix("pub(crate) ")).unwrap_or(text);
    let text = text.strip_prefix("mod ")?;
    let end = text.find(|c: char| !is_name(c))?;
    Some((&text[..end], text[end..].trim_start()))
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn without_test_bodies(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(TEST) {
        let after = &rest[at + TEST.len()..];
        match declaration(after) {
            Some((_, body)) if body.starts_with('{') => {
                kept.push_str(&rest[..at]);
                rest = &body[block(body)..];
            }
            _ => {
                kept.push_str(&rest[..at + TEST.len()]);
                rest = after;
            }
        }
    }
    kept + rest
}

/// The length of the block that the text begins with.
fn block(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return at + 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}

/// The modules that a file declares with `#[cfg(test)] mod name;`.
pub fn test_modules(code: &str, module: &[String]) -> Vec<Module> {
    let declared = code.match_indices(TEST).filter_map(|(at, _)| declaration(&code[at + TEST.len()..]));
    let files = declared.filter(|(_, rest)| rest.starts_with(';'));
    files.map(|(name, _)| [module, &[name.to_owned()]].concat()).collect()
}

/// The modules with a body inside of a file: where each body is, and its module.
fn inner_modules(code: &str, module: &[String]) -> Vec<(std::ops::Range<usize>, Module)> {
    let mut inner: Vec<(std::ops::Range<usize>, Module)> = Vec::new();
    for (at, _) in code.match_indices("mod ") {
        if code[..at].ends_with(is_name) {
            continue;
        }
        if let Some((name, body)) = declaration(&code[at..])
            && body.starts_with('{')
        {
            let begin = code.len() - body.len();
            let outer = inner.iter().rev().find(|(range, _)| range.contains(&at));
            let outer = outer.map_or(module, |(_, outer)| outer.as_slice());
            let inside = [outer, &[name.to_owned()]].concat();
            inner.push((begin..begin + block(body), inside));
        }
    }
    inner
}

/// The paths into the crate that a file's code uses, from the crate's root: those that begin with
/// `crate` or `super`, and imports that begin with a module that the file declares. Re-exports are
/// left out.
pub fn paths(code: &str, module: &[String]) -> Vec<Module> {
    let inner = inner_modules(code, module);
    let here = |at: usize| {
        let inside = inner.iter().rev().find(|(range, _)| range.contains(&at));
        inside.map_or(module, |(_, inside)| inside.as_slice())
    };
    let children: Vec<&str> = declared_files(code);
    let mut paths = Vec::new();
    for (at, first) in words(code) {
        let before = code[..at].trim_end();
        let import = before.ends_with("use") && !before.trim_end_matches("use").ends_with(is_name);
        let re_export = import && is_public(before.trim_end_matches("use"));
        if before.ends_with("::") || re_export {
            continue;
        }
        let is_child = children.contains(&first) && code[at + first.len()..].starts_with("::");
        let base = match first {
            "crate" => Vec::new(),
            "super" => parent(here(at)),
            _ if is_child => {
                paths.extend(expand(&code[at..], here(at).to_vec()));
                continue;
            }
            _ => continue,
        };
        if let Some(rest) = code[at + first.len()..].strip_prefix("::") {
            paths.extend(expand(rest, base));
        }
    }
    paths
}

fn parent(module: &[String]) -> Module {
    module[..module.len().saturating_sub(1)].to_vec()
}

/// Whether the text ends with a visibility.
fn is_public(text: &str) -> bool {
    let text = text.trim_end();
    text.ends_with("pub")
        || (text.ends_with(')') && text.rfind("pub(").is_some_and(|at| !text[at..].contains(';')))
}

/// The words of the code and where they are.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at + code[at..].find(is_name)?;
        let length = code[begin..].find(|c| !is_name(c)).unwrap_or(code.len() - begin);
        at = begin + length;
        Some((begin, &code[begin..at]))
    })
}

/// The modules that the code declares with files of their own.
fn declared_files(code: &str) -> Vec<&str> {
    let declared = code.match_indices("mod ").filter(|(at, _)| !code[..*at].ends_with(is_name));
    let declared = declared.filter_map(|(at, _)| declaration(&code[at..]));
    declared.filter(|(_, rest)| rest.starts_with(';')).map(|(name, _)| name).collect()
}

/// The paths of a tree of imports, `a::{b, c::d}`, below a module.
fn expand(tree: &str, base: Module) -> Vec<Module> {
    let tree = tree.trim_start();
    if let Some(list) = tree.strip_prefix('{') {
        let end = block(tree) - 2;
        return items(&list[..end]).into_iter().flat_map(|item| expand(item, base.clone())).collect();
    }
    let length = tree.find(|c| !is_name(c)).unwrap_or(tree.len());
    let (name, rest) = tree.split_at(length);
    let mut path = base;
    match name {
        "" | "self" => {}
        "super" => path = parent(&path),
        name => path.push(name.to_owned()),
    }
    match rest.strip_prefix("::") {
        Some(rest) if !name.is_empty() => expand(rest, path),
        _ => vec![path],
    }
}

/// The items of a list, without commas inside of inner lists.
fn items(list: &str) -> Vec<&str> {
    let (mut items, mut depth, mut begin) = (Vec::new(), 0, 0);
    for (at, byte) in list.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                items.push(&list[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    items.push(&list[begin..]);
    items.retain(|item| !item.trim().is_empty());
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths_of(code: &str) -> Vec<String> {
        let module = ["plugin".to_owned(), "set".to_owned()];
        paths(&code_of(code), &module).iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn imports_of_all_forms_are_found() {
        let code = "use crate::os::{Waker, poller::{self, Poller}};\nuse super::loops::Due;\nuse std::fmt;\n\
                    mod child;\nuse child::Thing;\nfn f() -> crate::view::UvCtxView { super::one::go() }";
        let expected = [
            "os::Waker",
            "os::poller",
            "os::poller::Poller",
            "plugin::loops::Due",
            "plugin::set::child::Thing",
            "view::UvCtxView",
            "plugin::one::go",
        ];
        assert_eq!(paths_of(code), expected);
    }

    #[test]
    fn a_super_inside_of_a_module_is_the_file() {
        assert_eq!(
            paths_of("mod inner { use super::Thing; }\nuse super::Other;"),
            ["plugin::set::Thing", "plugin::Other"]
        );
    }

    #[test]
    fn comments_strings_tests_and_re_exports_are_left_out() {
        let code = "// crate::a\n/* crate::b */ const S: &str = \"crate::c\"; const R: &str = r#\"\"crate::d\"#;\n\
                    const Q: char = '\"'; pub use crate::e::E; pub(crate) use crate::f::F;\n\
                    #[cfg(test)]\nmod tests { use crate::g; fn f() { {} } }\nuse crate::h;";
        assert_eq!(paths_of(code), ["h"]);
    }

    #[test]
    fn test_modules_with_files_are_known() {
        let code = "#[cfg(test)]\nmod testing;\nmod other;\n#[cfg(test)]\nmod tests {}\n";
        assert_eq!(test_modules(code, &[]), [["testing"]]);
    }
}
