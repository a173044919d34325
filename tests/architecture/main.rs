//! How the sources of cache-runtime are built: `CONTRIBUTING.md` names the floors, and these tests
//! hold what it says of them.
//!
//! They read the sources as tokens. Production files are those of no module that is there for tests
//! alone. Comments, and what a macro's expansion imports from `__private`, are not looked at.

mod graph;
mod rules;
mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::rules::{Floors, Tree};
use crate::source::Source;

/// The sources of a crate by their paths below `src`.
fn sources(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the crate") {
            let path = entry.expect("an entry of the folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let name = path.strip_prefix(root).expect("below it").to_string_lossy();
                let text = fs::read_to_string(&path).expect("a source file");
                found.insert(name.replace('\\', "/"), text);
            }
        }
    }
    assert!(!found.is_empty(), "{} has no sources", root.display());
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn runtime() -> Tree {
    let mut sources = sources(&root().join("cache-runtime/src"));
    sources.retain(|path, _| !path.starts_with(PROGRAMS));
    Tree::of(&sources)
}

/// What is below it is no part of the library: each folder is a crate of its own.
const PROGRAMS: &str = "bin/";

/// The program for operators.
fn program() -> Tree {
    Tree::of(&sources(&root().join("cache-runtime/src/bin/cachectl")))
}

fn macros() -> Tree {
    Tree::of(&sources(&root().join("cache-macros/src")))
}

fn floors() -> Floors {
    let guide = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("the guide");
    Floors::parse(&guide)
}

#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "{}\n", violations.join("\n"));
}

#[test]
fn imports_run_downwards_only() {
    assert_none(&runtime().climbs(&floors()));
}

/// So a floor that is added to the crate, or removed from it, is added to the list or removed.
#[test]
fn every_module_at_the_top_has_its_floor() {
    assert_none(&runtime().without_floor(&floors()));
}

/// So a program can be left out, with what it depends on.
#[test]
fn the_library_knows_nothing_of_programs() {
    let sources = sources(&root().join("cache-runtime/src"));
    let library = sources.iter().filter(|(path, _)| !path.starts_with(PROGRAMS));
    let knows = |text: &String| text.contains("clap::") || text.contains("indicatif::");
    let found = library.filter(|(_, text)| knows(text));
    assert_none(&found.map(|(path, _)| format!("{path} is for a program")).collect::<Vec<_>>());
}

#[test]
fn no_circle_of_imports_has_more_than_four_files() {
    let mut circles = runtime().circles(4);
    circles.extend(macros().circles(4));
    circles.extend(program().circles(4));
    assert_none(&circles);
}

#[test]
fn imports_name_the_crate_and_not_what_is_above() {
    let mut found = runtime().relative_imports();
    found.extend(program().relative_imports());
    assert_none(&found);
}

#[test]
fn production_files_hold_nothing_for_tests_but_the_modules_of_tests() {
    let mut found = runtime().test_code();
    found.extend(macros().test_code());
    found.extend(program().test_code());
    assert_none(&found);
}

#[test]
fn a_module_with_children_is_the_mod_file_of_its_folder() {
    let mut found = runtime().two_styles();
    found.extend(macros().two_styles());
    found.extend(program().two_styles());
    assert_none(&found);
}

#[test]
fn public_async_functions_say_what_it_means_to_drop_them() {
    assert_none(&runtime().silent_functions());
}

#[test]
fn a_name_means_one_type() {
    assert_none(&runtime().names_twice());
}

#[test]
fn a_file_is_no_longer_than_can_be_held_in_mind() {
    let mut found = runtime().long_files(300);
    found.extend(macros().long_files(300));
    found.extend(program().long_files(300));
    assert_none(&found);
}

#[test]
fn code_and_comments_have_one_width() {
    let mut found = runtime().long_lines(100);
    found.extend(macros().long_lines(100));
    found.extend(program().long_lines(100));
    assert_none(&found);
}

mod that_they_can_fail {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Tree::of(&files.iter().map(owned).collect())
    }

    fn two_floors() -> Floors {
        Floors::parse("## Floors\n\n| floor | holds |\n|---|---|\n| `upper` | |\n| `lower` | |\n")
    }

    #[test]
    fn an_import_upwards_is_told_with_the_file_and_the_rule() {
        for import in [
            "use crate::upper::Handle;",
            "use crate::{upper::{Handle, other}, lower};",
            "fn f() { crate::upper::call() }",
            "macro_rules! m { () => { $crate::upper::call() } }",
            "use crate::Handle;",
        ] {
            let lib = "mod lower; mod upper; pub use crate::upper::Handle;";
            let upper = "pub struct Handle; pub fn call() {} pub fn other() {}";
            let tree = tree(&[("lib.rs", lib), ("lower.rs", import), ("upper.rs", upper)]);
            let found = tree.climbs(&two_floors());
            assert!(found.len() == 1 || import.contains("other") && found.len() == 2, "{found:?}");
            assert!(found[0].starts_with("lower.rs imports crate::upper::"), "{found:?}");
            assert!(found[0].contains("`lower` stands below `upper`"), "{found:?}");
        }
    }

    #[test]
    fn an_import_downwards_and_one_of_a_test_is_none() {
        let lib = "mod lower; mod upper;";
        let lower = "pub struct Thing; #[cfg(test)] mod tests { use crate::upper::Handle; }";
        let upper = "use crate::lower::Thing; pub struct Handle(Thing);";
        let tree = tree(&[("lib.rs", lib), ("lower.rs", lower), ("upper.rs", upper)]);
        assert_none(&tree.climbs(&two_floors()));
        assert_none(&tree.test_code());
    }

    #[test]
    fn a_circle_is_told_with_its_files() {
        let files = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod b; mod c; mod d; pub use self::b::B;"),
            ("a/b.rs", "use crate::a::c::C; pub struct B(C);"),
            ("a/c.rs", "use crate::a::d::D; pub struct C(D);"),
            ("a/d.rs", "use crate::a::B; pub struct D(B);"),
        ];
        assert_none(&tree(&files).circles(3));
        let found = tree(&files).circles(2);
        assert_eq!(found, ["3 files import each other: a/b.rs, a/c.rs, a/d.rs"]);
    }

    #[test]
    fn everything_else_is_told_too() {
        let lib = "mod a; mod b;";
        let a = "pub(crate) struct Twice; use super::b::Twice as Other; #[cfg(test)] fn f() {}";
        let long =
            format!("// {}\npub struct Twice; /// Waits.\npub async fn f() {{}}", "x".repeat(100));
        let files = [("lib.rs", lib), ("a.rs", a), ("b.rs", &long), ("a/c.rs", "")];
        let tree = tree(&files);
        assert_eq!(tree.without_floor(&two_floors()).len(), 4, "two without, two that are none");
        assert_eq!(tree.relative_imports().len(), 1);
        assert_eq!(tree.test_code().len(), 1);
        assert_eq!(tree.two_styles().len(), 1);
        assert_eq!(tree.names_twice(), ["`Twice` is a type in a.rs and in b.rs"]);
        assert_eq!(tree.silent_functions(), ["b.rs: `f` has no `# Cancel safety`"]);
        assert_eq!(tree.long_files(2), ["b.rs has 3 lines, more than 2"]);
        assert_eq!(tree.long_lines(100), ["b.rs:1 has 103 columns, more than 100"]);
    }

    #[test]
    fn a_source_is_read_as_tokens() {
        let text =
            "// use crate::comment;\nuse crate::{a::{self, B as C}, d};\nstr!(\"crate::text\");";
        let source = Source::parse("x.rs", text);
        let imports: Vec<_> = source.imports.iter().map(|it| it.path.join("::")).collect();
        assert_eq!(imports, ["crate::a", "crate::a::B", "crate::d"]);
    }
}
