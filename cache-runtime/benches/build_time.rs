//! What the attributes add to a build: `cargo check` of a crate of annotated functions beside the same crate without the
//! attributes. Dependencies are built before.
//!
//! ```text
//! cargo bench -p cache-runtime --bench build_time               # about a minute
//! cargo bench -p cache-runtime --bench build_time -- --quick
//! ```

#![expect(clippy::expect_used, reason = "a bench ends where it cannot go on")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (sizes, rounds): (&[usize], usize) = if quick { (&[10], 1) } else { (&[10, 100, 300], 5) };
    let plain = Project::new("plain", "");
    let annotated = Project::new("annotated", "#[cached(key = \"user:<id>:<part>\", ttl = 60)]");
    println!("cargo check, median of {rounds} rounds");
    println!(
        "{:>9} {:>9} {:>12} {:>5} {:>18}",
        "functions", "plain s", "annotated s", "×", "ms per function"
    );
    for &functions in sizes {
        let mut rounds: Vec<_> = (0..rounds)
            .map(|round| (plain.check(functions, round), annotated.check(functions, round)))
            .collect();
        rounds.sort_by_key(|(plain, annotated)| annotated.saturating_sub(*plain));
        let (plain, annotated) = rounds[rounds.len() / 2];
        let (plain, annotated) = (plain.as_secs_f64(), annotated.as_secs_f64());
        println!(
            "{functions:>9} {plain:>9.2} {annotated:>12.2} {:>5.2} {:>18.2}",
            annotated / plain,
            (annotated - plain) / functions as f64 * 1e3,
        );
    }
}

/// A crate of its own inside the target directory, where its dependencies stay built from one run to the next.
struct Project {
    directory: PathBuf,
    attribute: &'static str,
}

impl Project {
    fn new(name: &str, attribute: &'static str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build_time").join(name);
        let runtime = env!("CARGO_MANIFEST_DIR");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[dependencies]\n\
             cache-runtime = {{ path = {runtime:?} }}\n\n[workspace]\n"
        );
        fs::create_dir_all(directory.join("src")).expect("a writable directory");
        fs::write(directory.join("Cargo.toml"), manifest).expect("a writable directory");
        let lock = Path::new(runtime).join("../Cargo.lock");
        fs::copy(lock, directory.join("Cargo.lock")).expect("a writable directory");
        let project = Self { directory, attribute };
        // Builds the dependencies, where that has not been done.
        project.check(1, 0);
        project
    }

    /// How long a check takes after the source has changed.
    fn check(&self, functions: usize, round: usize) -> Duration {
        let mut source = format!("//! {round}\n#![allow(unused)]\nuse cache_runtime::cached;\n");
        for number in 0..functions {
            let attribute = self.attribute;
            writeln!(
                source,
                "{attribute}\npub async fn load_{number}(id: u64, part: &str) -> Result<Option<String>, std::io::Error> {{\n    \
                 Ok(Some(format!(\"{{id}}{{part}}\")))\n}}"
            )
            .expect("room for a line");
        }
        fs::write(self.directory.join("src/lib.rs"), source).expect("a writable directory");
        let began = Instant::now();
        let status = Command::new(env!("CARGO"))
            .args(["check", "--quiet"])
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", self.directory.with_file_name("target"))
            .stdout(Stdio::null())
            .status()
            .expect("cargo");
        assert!(status.success(), "{} does not compile", self.directory.display());
        began.elapsed()
    }
}
