//! Finds imports in the text of a module.

/// The line and column, counted from 1, of a name in a declaration that imports it or exports it from
/// another module.
pub fn place(text: &str, name: &str) -> Option<(usize, usize)> {
    let ends = text.match_indices("from").filter(|(at, _)| {
        text[at + 4..].trim_start().starts_with(['"', '\'']) && !text[..*at].ends_with(is_part_of_name)
    });
    for (end, _) in ends {
        let declaration = &text[..end];
        let begin = declaration.rfind("import").max(declaration.rfind("export"))?;
        let found = text[begin..end].match_indices(name).map(|(at, _)| begin + at).find(|&at| {
            !text[..at].ends_with(is_part_of_name) && !text[at + name.len()..].starts_with(is_part_of_name)
        });
        if let Some(at) = found {
            let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            return Some((text[..at].matches('\n').count() + 1, text[line..at].chars().count() + 1));
        }
    }
    None
}

fn is_part_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}
