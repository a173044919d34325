//! Every option is in the documentation of its attribute.

use super::tests::{Attribute, attributes};

/// The documentation of an attribute.
fn guide(attribute: &str) -> &'static str {
    match attribute {
        "cached" => include_str!("../doc/cached.md"),
        "invalidates" => include_str!("../doc/invalidates.md"),
        "write_through" => include_str!("../doc/write_through.md"),
        "write_behind" => include_str!("../doc/write_behind.md"),
        _ => unreachable!("no documentation of `{attribute}`"),
    }
}

/// Whether a row of a table in `text` shows how the option is written.
fn shows(text: &str, option: &str) -> bool {
    let spellings = ["`", "<code>"]
        .into_iter()
        .flat_map(|start| [" =", "`", "("].map(|end| [start, option, end].concat()));
    spellings
        .into_iter()
        .any(|spelling| text.lines().any(|line| line.starts_with('|') && line.contains(&spelling)))
}

#[test]
fn every_option_is_documented() {
    let mut missing = Vec::new();
    for attribute in attributes() {
        let name = attribute.name;
        for (option, _) in attribute.rows {
            if !shows(guide(name), option) {
                missing.push(format!("cache-macros/src/doc/{name}.md: no row for `{option}`"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// What the rows of the tables in `text` begin with, where that is written like an option.
fn shown(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let cell = line.strip_prefix("| ")?;
        let cell = cell.strip_prefix('`').or_else(|| cell.strip_prefix("<code>"))?;
        let end = cell.find(|c: char| !c.is_ascii_lowercase() && c != '_')?;
        let (name, rest) = cell.split_at(end);
        (rest.starts_with(" =") || rest.starts_with('`')).then_some(name)
    })
}

#[test]
fn nothing_is_documented_that_is_no_option() {
    for Attribute { name, rows, .. } in attributes() {
        for option in shown(guide(name)) {
            let exists = rows.iter().any(|&(known, _)| known == option);
            assert!(exists, "`#[{name}]` has no option `{option}`");
        }
    }
}
