//! The rules, and where they are broken.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph;
use crate::source::{Import, Source};

type Module = Vec<String>;

/// The floors, from the top down.
#[derive(Debug)]
pub(crate) struct Floors(Vec<String>);

impl Floors {
    /// Reads the table under the heading `Floors`: the first code in each row.
    pub(crate) fn parse(guide: &str) -> Self {
        let section = guide.split("## Floors\n").nth(1).expect("a section about the floors");
        let section = section.split("\n## ").next().unwrap_or_default();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let floors: Vec<_> = rows.map(ToOwned::to_owned).collect();
        assert!(floors.len() > 1, "the section about the floors has no table of them");
        Self(floors)
    }

    /// The number of a floor, from the top.
    fn of(&self, module: &str) -> Option<usize> {
        self.0.iter().position(|floor| floor == module)
    }
}

/// The production files of a crate.
#[derive(Debug)]
pub(crate) struct Tree {
    files: BTreeMap<String, Source>,
    modules: BTreeMap<Module, String>,
    /// What a module exports under a name of its own.
    exports: BTreeMap<Module, Module>,
}

impl Tree {
    pub(crate) fn of(sources: &BTreeMap<String, String>) -> Self {
        let parse = |(path, text): (&String, &String)| (path.clone(), Source::parse(path, text));
        let mut files: BTreeMap<_, _> = sources.iter().map(parse).collect();
        let tests: Vec<Module> = files
            .iter()
            .flat_map(|(path, source)| {
                let child = |name: &String| [module(path), vec![name.clone()]].concat();
                source.tests.iter().map(child).collect::<Vec<_>>()
            })
            .collect();
        files.retain(|path, _| !tests.iter().any(|test| module(path).starts_with(test)));
        let modules = files.keys().map(|path| (module(path), path.clone())).collect();
        let mut exports = BTreeMap::new();
        for (path, source) in &files {
            for import in &source.imports {
                if let Some(name) = &import.exported_as {
                    let name = [module(path), vec![name.clone()]].concat();
                    exports.insert(name, absolute(path, &import.path));
                }
            }
        }
        Self { files, modules, exports }
    }

    /// The file that defines what an import names, and its whole path.
    fn defining(&self, path: &str, import: &Import) -> Option<(&str, Module)> {
        let mut named = absolute(path, &import.path);
        // An export may lead to another one, but not for ever.
        for _ in 0..8 {
            let exported = (1..=named.len()).rev().find(|&length| {
                let name = &named[..length];
                !self.modules.contains_key(name) && self.exports.contains_key(name)
            });
            let Some(length) = exported else { break };
            named = [self.exports[&named[..length]].clone(), named[length..].to_vec()].concat();
        }
        let file = (1..=named.len()).rev().find_map(|length| self.modules.get(&named[..length]))?;
        Some((file, named))
    }

    /// Imports that lead to a higher floor.
    pub(crate) fn climbs(&self, floors: &Floors) -> Vec<String> {
        let mut found = Vec::new();
        for (path, source) in &self.files {
            let Some(here) = module(path).into_iter().next() else { continue };
            let Some(own) = floors.of(&here) else { continue };
            for import in &source.imports {
                let Some((_, named)) = self.defining(path, import) else { continue };
                let Some(there) = named.first() else { continue };
                if floors.of(there).is_some_and(|other| other < own) {
                    found.push(format!(
                        "{path} imports crate::{}, but `{here}` stands below `{there}`: imports \
                         run downwards only (CONTRIBUTING.md, Floors)",
                        named.join("::")
                    ));
                }
            }
        }
        found
    }

    /// Modules at the top that the list of floors leaves out, and floors that are no modules.
    pub(crate) fn without_floor(&self, floors: &Floors) -> Vec<String> {
        let tops: BTreeSet<_> =
            self.modules.keys().filter_map(|module| module.first().cloned()).collect();
        let missing = tops.iter().filter(|top| floors.of(top).is_none());
        let missing = missing.map(|top| format!("`{top}` is in no row of CONTRIBUTING.md, Floors"));
        let gone = floors.0.iter().filter(|floor| !tops.contains(*floor));
        let gone =
            gone.map(|floor| format!("CONTRIBUTING.md has a floor `{floor}`, the crate none"));
        missing.chain(gone).collect()
    }

    /// Circles of imports of more than so many files. A file may use what its own folder's module
    /// file defines for all that is in the folder, and is in no circle with it for that.
    pub(crate) fn circles(&self, most: usize) -> Vec<String> {
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (path, source) in &self.files {
            let own = edges.entry(path.clone()).or_default();
            for import in source.imports.iter().filter(|import| import.exported_as.is_none()) {
                let Some((file, _)) = self.defining(path, import) else { continue };
                let folder = file.strip_suffix("mod.rs");
                if file != path && !folder.is_some_and(|folder| path.starts_with(folder)) {
                    own.insert(file.to_owned());
                }
            }
        }
        let circles = graph::circles(&edges).into_iter().filter(|circle| circle.len() > most);
        circles
            .map(|circle| {
                format!("{} files import each other: {}", circle.len(), circle.join(", "))
            })
            .collect()
    }

    pub(crate) fn relative_imports(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (path, source) in &self.files {
            let relative = |import: &&Import| import.is_use && import.path[0] == "super";
            for import in source.imports.iter().filter(relative) {
                let named = import.path.join("::");
                found.push(format!("{path} imports {named}: write the path from `crate` on"));
            }
        }
        found
    }

    /// Files with code for tests alone that is no module of tests.
    pub(crate) fn test_code(&self) -> Vec<String> {
        let with = self.files.iter().filter(|(_, source)| source.test_items > 0);
        with.map(|(path, source)| {
            format!("{path} has {} items for tests that are no modules", source.test_items)
        })
        .collect()
    }

    /// Public async functions that do not say what it means to drop their future.
    pub(crate) fn silent_functions(&self) -> Vec<String> {
        let functions = self.files.iter().flat_map(|(path, source)| {
            source
                .silent
                .iter()
                .map(move |name| format!("{path}: `{name}` has no `# Cancel safety`"))
        });
        functions.collect()
    }

    /// Modules in a file beside their folder.
    pub(crate) fn two_styles(&self) -> Vec<String> {
        let has_folder = |path: &&String| {
            let folder = path.strip_suffix(".rs").map(|stem| format!("{stem}/"));
            folder.is_some_and(|folder| self.files.keys().any(|it| it.starts_with(&folder)))
        };
        let beside = self.files.keys().filter(has_folder);
        beside
            .map(|path| format!("{path} stands beside its folder: move it in, as mod.rs"))
            .collect()
    }

    /// Names of types that the whole crate can see, and that stand for two of them.
    pub(crate) fn names_twice(&self) -> Vec<String> {
        let mut types: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (path, source) in &self.files {
            for name in &source.types {
                types.entry(name).or_default().insert(path);
            }
        }
        let twice = types.into_iter().filter(|(_, files)| files.len() > 1);
        twice
            .map(|(name, files)| {
                let files: Vec<_> = files.into_iter().collect();
                format!("`{name}` is a type in {}", files.join(" and in "))
            })
            .collect()
    }

    pub(crate) fn long_files(&self, most: usize) -> Vec<String> {
        let long = self.files.iter().filter(|(_, source)| source.lines.len() > most);
        long.map(|(path, it)| format!("{path} has {} lines, more than {most}", it.lines.len()))
            .collect()
    }

    pub(crate) fn long_lines(&self, most: usize) -> Vec<String> {
        let mut found = Vec::new();
        for (path, source) in &self.files {
            for (at, &columns) in source.lines.iter().enumerate().filter(|(_, it)| **it > most) {
                found.push(format!("{path}:{} has {columns} columns, more than {most}", at + 1));
            }
        }
        found
    }
}

/// The module that a file holds.
fn module(path: &str) -> Module {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let mut module: Module = stem.split('/').map(ToOwned::to_owned).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// A path as it is from the root of the crate on.
fn absolute(file: &str, path: &[String]) -> Module {
    let mut named = match path[0].as_str() {
        "crate" => Vec::new(),
        _ => module(file),
    };
    for segment in path {
        match segment.as_str() {
            "crate" | "self" => {}
            "super" => _ = named.pop(),
            _ => named.push(segment.clone()),
        }
    }
    named
}
