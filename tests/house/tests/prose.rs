//! The prose of comments and pages.

use std::fs;
use std::path::{Path, PathBuf};
use uv_handles_house::root;

/// The files with one of these extensions.
fn files(dir: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') && name != "node_modules" {
                files(&path, extensions, found);
            }
        } else if path.extension().is_some_and(|it| extensions.iter().any(|extension| it == *extension)) {
            found.push(path);
        }
    }
}

/// Comments name the thing, and do not describe it by a clause.
#[test]
fn no_item_and_no_heading_opens_with_what() {
    let mut all = Vec::new();
    files(&root(), &["rs", "py", "wit", "js", "ts", "md"], &mut all);
    assert!(all.len() > 500, "{} files", all.len());
    let opens = |line: &str| {
        let text = line.trim_start().trim_start_matches(['/', '!', '#', '*', '"']);
        text.len() < line.trim_start().len() && text.trim_start().starts_with("What ")
    };
    let mut found = String::new();
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| opens(line)) {
            found += &format!("{}, line {}: {line}\n", path.display(), at + 1);
        }
    }
    assert!(found.is_empty(), "{found}");
}

/// Words that leave open who or what is meant.
#[test]
fn no_riddles() {
    // Split, so that this file has none of them.
    let unwanted =
        [["no", "body"], ["who", "ever"], ["whom", "ever"], ["can ", "not"]].map(|word| word.concat());
    let mut all = Vec::new();
    files(&root(), &["rs", "py", "wit", "md"], &mut all);
    for path in all {
        let text = fs::read_to_string(&path).unwrap().to_lowercase();
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ' '));
        let found = unwanted.iter().find(|unwanted| words.clone().any(|run| has_word(run, unwanted)));
        assert!(found.is_none(), "{} has the word {}", path.display(), found.unwrap());
    }
}

/// Whether the words stand in this text as a whole.
fn has_word(text: &str, words: &str) -> bool {
    format!(" {text} ").contains(&format!(" {words} "))
}
