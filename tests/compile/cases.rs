//! The cases of `tests/ui`, compiled by any compiler.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;

/// What the cases use. The versions are those of this workspace's `Cargo.lock`.
const DEPENDENCIES: &str = r#"
async-trait = "*"
axum = { version = "*", default-features = false, features = ["json"] }
serde = { version = "*", features = ["derive"] }
"#;

/// What a compiler says about each case.
pub(crate) struct Cases(BTreeMap<String, String>);

impl Cases {
    /// Compiles all of them, by a toolchain of rustup if one is given.
    pub(crate) fn compile(toolchain: Option<&str>) -> Self {
        let mut outputs: BTreeMap<_, _> = names().map(|name| (name, String::new())).collect();
        let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
        write_project(&project, outputs.keys());
        let mut command = match toolchain {
            Some(toolchain) => {
                let mut command = Command::new("rustup");
                command.args(["run", toolchain, "cargo"]);
                command
            }
            None => Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
        };
        let target = project.join("target").join(toolchain.unwrap_or("default"));
        command.args(["check", "--offline", "--keep-going", "--bins", "--message-format=json"]);
        command.arg("--target-dir").arg(target).current_dir(&project);
        let output = command.stderr(Stdio::piped()).output().unwrap();

        let mut library_compiles = false;
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let message: Value = serde_json::from_str(line).unwrap();
            let target = message["target"]["name"].as_str().unwrap_or_default();
            if message["reason"] == "compiler-artifact" && target == "cache_runtime" {
                library_compiles = true;
            }
            let is_case = message["target"]["kind"][0] == "bin";
            if let Some(text) = message["message"]["rendered"].as_str().filter(|_| is_case) {
                outputs.get_mut(target).unwrap().push_str(text);
            }
        }
        // Otherwise every case would fail.
        assert!(library_compiles, "{}", String::from_utf8_lossy(&output.stderr));
        Self(outputs)
    }

    pub(crate) fn outputs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, output)| (name.as_str(), output.as_str()))
    }
}

/// The names of the files, without `.rs`.
fn names() -> impl Iterator<Item = String> {
    let files = fs::read_dir("tests/ui").unwrap().map(|file| file.unwrap().path());
    let cases = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    cases.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
}

/// A package whose programs are the cases.
fn write_project<'a>(project: &Path, names: impl Iterator<Item = &'a String>) {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut manifest = format!(
        "[package]\nname = \"ui\"\nedition = \
         \"2024\"\n\n[workspace]\n\n[dependencies]{DEPENDENCIES}cache-runtime = {{ path = '{}', \
         features = [\"full\"] }}\n",
        workspace.join("cache-runtime").display()
    );
    for name in names {
        let path = workspace.join("tests/ui").join(format!("{name}.rs"));
        let path = path.display();
        write!(manifest, "\n[[bin]]\nname = \"{name}\"\npath = '{path}'\n").unwrap();
    }
    fs::create_dir_all(project).unwrap();
    fs::write(project.join("Cargo.toml"), manifest).unwrap();
    fs::copy(workspace.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
}
