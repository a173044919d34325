//! Expansions compile in every edition, without a prelude, beside shadowed names, under every lint
//! of a strict crate that forbids unsafe code, and in a crate that renames the dependency.

use std::fs;
use std::path::Path;
use std::process::Command;

const SOURCE: &str = include_str!("strict.rs");

/// One crate for each edition, checked by Clippy in one go. They share one target directory between
/// runs.
#[test]
fn expansions_compile_in_every_edition() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().unwrap();
    let workspace = directory.path();
    let editions = ["2018", "2021", "2024"];
    let members = editions.map(|edition| format!("\"edition-{edition}\"")).join(", ");
    let manifest = format!("[workspace]\nresolver = \"2\"\nmembers = [{members}]\n");
    fs::write(workspace.join("Cargo.toml"), manifest).unwrap();
    // The versions that are there already: no network is needed.
    fs::copy(root.join("Cargo.lock"), workspace.join("Cargo.lock")).unwrap();
    for edition in editions {
        let member = workspace.join(format!("edition-{edition}"));
        fs::create_dir_all(member.join("src")).unwrap();
        fs::write(member.join("src/lib.rs"), SOURCE).unwrap();
        let runtime = root.join("cache-runtime");
        let manifest = format!(
            "[package]\nname = \"edition-{edition}\"\nversion = \"0.0.0\"\nedition = \
             \"{edition}\"\n[dependencies]\nkv = {{ package = \"cache-runtime\", path = \
             {runtime:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] \
             }}\n[features]\ncatalog = [\"kv/catalog\"]\n"
        );
        fs::write(member.join("Cargo.toml"), manifest).unwrap();
    }
    // With the catalogue, expansions leave more behind.
    for features in ["", "catalog"] {
        let checked = Command::new(env!("CARGO"))
            .args(["clippy", "--workspace", "--offline", "--quiet", "--features", features])
            .env("CARGO_TARGET_DIR", root.join("target/tests/editions"))
            .current_dir(workspace)
            .output()
            .unwrap();
        let complaints = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{features}: {complaints}");
    }
}
