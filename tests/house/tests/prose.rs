//! The prose of comments and pages.

use std::fs;
use uv_handles_house::{paths, root};

/// Comments name the thing, and do not describe it by a clause.
#[test]
fn no_item_and_no_heading_opens_with_what() {
    let all = paths(&root(), &["rs", "py", "wit", "js", "ts", "md"]);
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
    for path in paths(&root(), &["rs", "py", "wit", "md"]) {
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
