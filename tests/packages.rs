//! What is published: the packages as cargo would upload them, and their page on a registry.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const PACKAGES: [&str; 2] = ["cache-macros", "cache-runtime"];

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs this test");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn licences_and_readme_are_in_each_package() {
    for package in PACKAGES {
        let list = cargo(&["package", "--list", "--allow-dirty", "--package", package]);
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "Cargo.toml", "src/lib.rs"] {
            assert!(list.lines().any(|line| line == file), "{package} has no {file}:\n{list}");
        }
    }
}

/// A licence that is a link to nowhere would be packed as one, too.
#[test]
fn the_licences_of_packages_are_those_of_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| std::fs::read_to_string(path).expect("a licence");
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        for package in PACKAGES {
            assert_eq!(read(&root.join(package).join(licence)), read(&root.join(licence)));
        }
    }
}

#[test]
fn documentation_is_built_with_all_features() {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let all = metadata["packages"].as_array().expect("packages");
    for name in PACKAGES {
        let package = all.iter().find(|package| package["name"] == name).expect("a member");
        assert_eq!(package["documentation"], format!("https://docs.rs/{name}"));
        assert_eq!(package["license"], "MIT OR Apache-2.0");
        let docs_rs = &package["metadata"]["docs"]["rs"];
        let features = package["features"].as_object().expect("features");
        assert!(features.is_empty() || docs_rs["all-features"] == true, "{name}: {docs_rs}");
    }
}

/// A registry shows the README without the files around it.
#[test]
fn links_of_the_readme_lead_out_of_the_repository() {
    let readme = include_str!("../README.md");
    let code = |number: usize| number % 2 == 1;
    let text = readme.split("```").enumerate().filter(|(number, _)| !code(*number));
    let links = text.flat_map(|(_, text)| text.split("](").skip(1));
    let links: Vec<_> = links.filter_map(|link| link.split_once(')')).map(|(to, _)| to).collect();
    assert!(links.len() > 5, "{links:?}");
    for link in links {
        assert!(link.starts_with("https://") || link.starts_with('#'), "{link} is relative");
    }
}

/// What cannot be broken into lines decides how wide a column is at least.
#[test]
fn tables_of_the_guides_fit_a_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for package in PACKAGES {
        let guides = std::fs::read_dir(root.join(package).join("src/doc")).expect("guides");
        for guide in guides.map(|guide| guide.expect("a readable directory").path()) {
            let text = std::fs::read_to_string(&guide).expect("a text");
            let mut widths: Vec<usize> = Vec::new();
            for line in text.lines().chain([""]) {
                let Some(row) = line.strip_prefix('|') else {
                    let width: usize = widths.drain(..).sum();
                    assert!(width <= 90, "{width} columns of a table before {line:?} in {guide:?}");
                    continue;
                };
                for (column, cell) in row.split('|').enumerate() {
                    let longest = cell.split_whitespace().map(shown).max().unwrap_or_default();
                    widths.resize(widths.len().max(column + 1), 0);
                    widths[column] = widths[column].max(longest);
                }
            }
        }
    }
}

/// How long a word is without what it links to.
fn shown(word: &str) -> usize {
    word.split_once("](").map_or(word, |(text, _)| text).chars().count()
}
