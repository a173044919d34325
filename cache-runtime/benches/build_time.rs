//! What the attributes add to a build: a program of annotated functions beside the same program
//! without the attributes, in CPU time, which does not depend on the number of cores. Dependencies
//! are built before. And how many functions may call each other before rustc gives up: it looks
//! through 128 levels of types to tell whether a future is `Send`. An `async fn` takes four of
//! them, and so does the `async` block that the body of an annotated one becomes; the future around
//! it is one more, so nine is the least.
//!
//! ```text
//! cargo bench -p cache-runtime --bench build_time               # about five minutes
//! cargo bench -p cache-runtime --bench build_time -- --quick
//! ```

#![expect(clippy::expect_used, reason = "a bench ends where it cannot go on")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

fn main() {
    let attribute = "#[cached(key = \"user:<id>:<part>\", ttl = 60)]";
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (sizes, rounds): (&[usize], usize) = if quick { (&[10], 1) } else { (&[10, 100], 3) };
    println!("seconds of CPU, median of {rounds} rounds");
    println!(
        "{:>9} {:>9} {:>9} {:>12} {:>18}",
        "functions", "work", "plain", "annotated", "ms per function"
    );
    for &functions in sizes {
        let plain = Project::new("plain", "", functions);
        let annotated = Project::new("annotated", attribute, functions);
        for work in [Work::Check, Work::Debug, Work::Edit, Work::Release] {
            let mut rounds: Vec<_> =
                (0..rounds).map(|_| (plain.time(work), annotated.time(work))).collect();
            rounds.sort_by_key(|(plain, annotated)| annotated.saturating_sub(*plain));
            let (plain, annotated) = rounds[rounds.len() / 2];
            let (plain, annotated) = (plain.as_secs_f64(), annotated.as_secs_f64());
            println!(
                "{functions:>9} {:>9} {plain:>9.2} {annotated:>12.2} {:>18.2}",
                work.name(),
                (annotated - plain) / functions as f64 * 1e3,
            );
        }
        println!(
            "{functions:>9} {:>9} {:>9.1} {:>12.1}   (the debug program, MB)",
            "size",
            plain.size(),
            annotated.size(),
        );
    }
    for (name, attribute) in [("plain", ""), ("annotated", attribute)] {
        let deepest = Project::new(name, attribute, 1).deepest();
        println!("{name}: {deepest} functions may call each other");
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// `cargo check`, as an editor does.
    Check,
    /// A debug build without what earlier builds have left.
    Debug,
    /// A debug build after one body has changed.
    Edit,
    Release,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Debug => "debug",
            Self::Edit => "edit",
            Self::Release => "release",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Check => &["check", "--quiet"],
            Self::Debug | Self::Edit => &["build", "--quiet"],
            Self::Release => &["build", "--quiet", "--release"],
        }
    }
}

/// A program of its own inside the target directory, where its dependencies stay built from one run
/// to the next.
struct Project {
    directory: PathBuf,
    name: &'static str,
    attribute: &'static str,
    functions: usize,
}

impl Project {
    fn new(name: &'static str, attribute: &'static str, functions: usize) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build_time").join(name);
        let runtime = env!("CARGO_MANIFEST_DIR");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[dependencies]\n\
             cache-runtime = {{ path = {runtime:?} }}\n\
             tokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}\n\n[workspace]\n"
        );
        fs::create_dir_all(directory.join("src")).expect("a writable directory");
        fs::write(directory.join("Cargo.toml"), manifest).expect("a writable directory");
        let lock = Path::new(runtime).join("../Cargo.lock");
        fs::copy(lock, directory.join("Cargo.lock")).expect("a writable directory");
        let project = Self { directory, name, attribute, functions };
        // Builds the dependencies, where that has not been done.
        project.write(0);
        for work in [Work::Check, Work::Debug, Work::Release] {
            project.run(work.arguments());
        }
        project
    }

    /// What the work costs, after the preparations for it.
    fn time(&self, work: Work) -> Duration {
        match work {
            Work::Edit => {
                self.write(0);
                self.run(work.arguments());
                self.write(1);
            }
            Work::Release => self.run(&["clean", "--quiet", "--release", "--package", self.name]),
            _ => self.run(&["clean", "--quiet", "--package", self.name]),
        }
        let before = cpu_of_children();
        self.run(work.arguments());
        cpu_of_children().saturating_sub(before)
    }

    /// How many functions may call each other.
    fn deepest(&self) -> usize {
        let compiles = |functions: usize| {
            self.write_nested(functions);
            self.cargo(Work::Check.arguments())
        };
        let (mut deepest, mut too_deep) = (1, 64);
        while too_deep - deepest > 1 {
            let middle = usize::midpoint(deepest, too_deep);
            if compiles(middle) {
                deepest = middle;
            } else {
                too_deep = middle;
            }
        }
        deepest
    }

    /// Functions each of which calls the next one, and a `main` that spawns the first.
    fn write_nested(&self, functions: usize) {
        let attribute = self.attribute;
        let mut source = "#![allow(unused)]\nuse cache_runtime::cached;\n".to_owned();
        for number in 0..functions {
            let body = match number + 1 {
                next if next < functions => format!("load_{next}(id, part).await"),
                _ => "Ok(None)".to_owned(),
            };
            writeln!(
                source,
                "{attribute}\nasync fn load_{number}(id: u64, part: &str) -> \
                 Result<Option<String>, std::io::Error> {{\n    {body}\n}}"
            )
            .expect("room for a line");
        }
        source.push_str(
            "#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {\n    \
             tokio::spawn(async { load_0(1, \"\").await });\n}\n",
        );
        fs::write(self.directory.join("src/main.rs"), source).expect("a writable directory");
    }

    /// The functions, and a `main` that calls them. The body of the first depends on the `edition`.
    fn write(&self, edition: usize) {
        let (attribute, functions) = (self.attribute, self.functions);
        let mut source = "#![allow(unused)]\nuse cache_runtime::cached;\n".to_owned();
        for number in 0..functions {
            let edition = if number == 0 { edition } else { 0 };
            writeln!(
                source,
                "{attribute}\nasync fn load_{number}(id: u64, part: &str) -> \
                 Result<Option<String>, std::io::Error> {{\n    \
                 Ok(Some(format!(\"{{id}}{{part}}{edition}\")))\n}}"
            )
            .expect("room for a line");
        }
        source.push_str("#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {\n");
        for number in 0..functions {
            writeln!(source, "    println!(\"{{:?}}\", load_{number}({number}, \"name\").await);")
                .expect("room for a line");
        }
        source.push_str("}\n");
        fs::write(self.directory.join("src/main.rs"), source).expect("a writable directory");
    }

    fn run(&self, arguments: &[&str]) {
        assert!(self.cargo(arguments), "{} does not compile", self.directory.display());
    }

    fn cargo(&self, arguments: &[&str]) -> bool {
        let status = Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", self.target())
            .env_remove("CARGO_PROFILE_DEV_DEBUG")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.expect("cargo").success()
    }

    fn target(&self) -> PathBuf {
        self.directory.with_file_name("target")
    }

    /// Of the debug program, in MB.
    fn size(&self) -> f64 {
        let program = fs::metadata(self.target().join("debug").join(self.name));
        program.expect("a program").len() as f64 / 1e6
    }
}

/// What all processes have cost that this one has waited for: the 16th and 17th field of
/// `/proc/self/stat`, in ticks of 10 ms (proc(5)).
fn cpu_of_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks = fields.split_whitespace().skip(13).take(2);
    ticks.map(|field| Duration::from_millis(10 * field.parse::<u64>().expect("ticks"))).sum()
}
