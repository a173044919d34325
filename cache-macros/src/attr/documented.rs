//! Every option is in the documentation of its attribute, and in the README.

use super::{Known, cached, invalidates, write_behind, write_through};

const README: &str = include_str!("../../../README.md");

const ATTRIBUTES: [(&str, &Known, &str); 4] = [
    ("cached", cached::KNOWN, include_str!("../doc/cached.md")),
    ("invalidates", invalidates::KNOWN, include_str!("../doc/invalidates.md")),
    ("write_through", write_through::KNOWN, include_str!("../doc/write_through.md")),
    ("write_behind", write_behind::KNOWN, include_str!("../doc/write_behind.md")),
];

/// The section of the README about an attribute.
fn section(attribute: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("\n## `#[{attribute}]`\n")).unwrap();
    rest.split_once("\n## ").unwrap().0
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
    for (attribute, known, guide) in ATTRIBUTES {
        for (option, _) in known {
            assert!(
                shows(section(attribute), option),
                "{option} of {attribute}: not in the README"
            );
            assert!(shows(guide, option), "{option} of {attribute}: not in its documentation");
        }
    }
}
