//! Applies patches to a copy of the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::table::Patch;

/// What cargo needs to build the copy.
const COPIED: [&str; 7] =
    ["Cargo.lock", "Cargo.toml", "README.md", "cache-macros", "cache-runtime", "examples", "tests"];
/// Where the runtime gets a module from what is added here.
const ROOT: &str = "cache-runtime/src/lib.rs";
const SWITCH: &str = "cache-runtime/src/mutants.rs";

/// Files by their path in the workspace.
type Files = BTreeMap<String, String>;

/// The files that the patches change, with all of them applied.
pub(crate) fn patched(root: &Path, patches: &[Patch]) -> Result<Files, String> {
    let mut files = Files::new();
    let mut missing = Vec::new();
    for Patch { mutant, file, .. } in patches {
        match fs::read_to_string(root.join(file)) {
            Ok(text) => _ = files.insert(file.clone(), text),
            Err(error) => missing.push(format!("{mutant}: {file}: {error}")),
        }
    }
    if missing.is_empty() { apply(files, patches) } else { Err(missing.join("\n")) }
}

/// Applies one after the other. The error names each that does not apply.
pub(crate) fn apply(mut files: Files, patches: &[Patch]) -> Result<Files, String> {
    let mut failed = Vec::new();
    for Patch { mutant, file, from, to } in patches {
        let text = files.entry(file.clone()).or_default();
        // Whole lines are replaced, so a place begins at the beginning of one.
        let begins = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        let places: Vec<_> = begins.filter(|at| text[*at..].starts_with(from)).collect();
        if let [at] = places[..] {
            text.replace_range(at..at + from.len(), to);
        } else {
            let found = places.len();
            failed.push(format!("{mutant}: stands {found} times in {file}:\n{from}"));
        }
    }
    if failed.is_empty() { Ok(files) } else { Err(failed.join("\n")) }
}

/// Makes `to` a copy of the workspace with the patches in it. Files that are as they should be are
/// not written, so that cargo does not build them again.
pub(crate) fn copy(root: &Path, to: &Path, patches: &[Patch], switch: &str) -> Result<(), String> {
    let mut changed = patched(root, patches)?;
    changed.insert(SWITCH.to_owned(), switch.to_owned());
    let lib = changed.remove(ROOT).map_or_else(|| fs::read_to_string(root.join(ROOT)), Ok);
    let say = |error: io::Error| error.to_string();
    changed.insert(ROOT.to_owned(), lib.map_err(say)? + "mod mutants;\n");

    let mut there = BTreeSet::new();
    for path in COPIED {
        there.extend(files(root, Path::new(path)).map_err(say)?);
    }
    there.extend(changed.keys().map(PathBuf::from));
    for path in &there {
        let content = match path.to_str().and_then(|path| changed.get(path)) {
            Some(text) => text.clone().into_bytes(),
            None => fs::read(root.join(path)).map_err(say)?,
        };
        write(&to.join(path), &content).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for path in files(to, Path::new("")).map_err(say)? {
        if !there.contains(&path) {
            fs::remove_file(to.join(path)).map_err(say)?;
        }
    }
    Ok(())
}

/// All files below a path, relative to `root`, without what cargo has built.
fn files(root: &Path, path: &Path) -> io::Result<Vec<PathBuf>> {
    if !root.join(path).is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(path))? {
        let name = entry?.file_name();
        if name != "target" {
            found.extend(files(root, &path.join(name))?);
        }
    }
    Ok(found)
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let executable = content.starts_with(b"#!");
    fs::write(path, content)?;
    if executable {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
