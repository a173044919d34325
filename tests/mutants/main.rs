//! Mutants: bugs that the tests must find, as patches of the sources.
//!
//! They are in `entries.md` and `queues.md`. A section is a mutant: its name, what the bug is,
//! which function of `run` finds it, and its patches. A patch names a file and has the notation of
//! a unified diff, without line numbers: the lines that begin with a space or a minus must stand
//! exactly once in that file, and are replaced by those that begin with a space or a plus. What it
//! adds asks `crate::mutants::on("Name")`, and in a script `mutant('Name')`, whether its mutant is
//! on. So one copy of the workspace holds them all, and the sources themselves hold none.
//!
//! As a test this checks that each patch applies. As a program it makes the copy, and lists the
//! mutants; it needs nothing but the standard library, so that `rustc` alone can build it.

mod sources;
mod table;

use std::path::Path;

use crate::table::Table;

/// Adds the module that the patches ask.
const SWITCH: &str = include_str!("switch.rs");
const TABLES: [&str; 2] = [include_str!("entries.md"), include_str!("queues.md")];

fn main() -> Result<(), String> {
    let table = Table::parse(&TABLES)?;
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => {
            for (name, finder) in table.finders() {
                println!("{finder} {name}");
            }
            Ok(())
        }
        ["copy", to] => sources::copy(Path::new("."), Path::new(to), &table.patches, SWITCH),
        _ => Err("usage: mutants list, or mutants copy DIRECTORY".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::table::Patch;

    #[test]
    fn every_patch_applies() {
        let table = Table::parse(&TABLES).expect("tables that can be read");
        assert!(table.finders().count() > 30, "mutants have got lost");
        if let Err(error) = sources::patched(Path::new("."), &table.patches) {
            panic!("{error}");
        }
    }

    fn apply(text: &str, from: &str) -> Result<String, String> {
        let files = BTreeMap::from([("a.rs".to_owned(), text.to_owned())]);
        let patch = Patch {
            mutant: "Sleepy".to_owned(),
            file: "a.rs".to_owned(),
            from: from.to_owned(),
            to: "two;\n".to_owned(),
        };
        sources::apply(files, &[patch]).map(|mut files| files.remove("a.rs").expect("the file"))
    }

    #[test]
    fn a_patch_replaces_what_it_names() {
        assert_eq!(apply("zero;\none;\n", "one;\n"), Ok("zero;\ntwo;\n".to_owned()));
    }

    #[test]
    fn a_patch_whose_text_does_not_stand_exactly_once_is_named() {
        for (text, found) in [("zero;\n", 0), ("one;\none;\n", 2), ("  one;\n", 0)] {
            let error = apply(text, "one;\n").expect_err("no single place");
            let says = format!("Sleepy: stands {found} times in a.rs:\none;\n");
            assert_eq!(error, says);
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let table = Table::parse(&["## Sleepy\n\
             Found by: simulate\n\
             ```diff no/such/file.rs\n\
             +on(\"Sleepy\")\n\
             ```\n"]);
        let patches = table.expect("a table").patches;
        let error = sources::patched(Path::new("."), &patches).expect_err("no such file");
        assert!(error.starts_with("Sleepy: no/such/file.rs: "), "{error}");
    }

    #[test]
    fn a_mutant_that_nothing_switches_is_named() {
        for added in ["on(\"Lazy\")", "on()"] {
            let text =
                format!("## Sleepy\nFound by: simulate\n```diff a.rs\n one;\n+{added}\n```\n");
            let error = Table::parse(&[&text]).map(drop).expect_err("not switched by its name");
            assert!(error.contains("Sleepy"), "{error}");
        }
    }

    #[test]
    fn a_line_of_a_patch_that_is_none_is_named() {
        let text = "## Sleepy\nFound by: simulate\n```diff a.rs\none;\n```\n";
        let error = Table::parse(&[text]).map(drop).expect_err("no sign before `one`");
        assert_eq!(error, "Sleepy: neither kept, removed nor added: `one;`");
    }
}
