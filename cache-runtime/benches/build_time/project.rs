//! Builds, and what they cost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::source::Library;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// `cargo check`, as an editor does.
    Check,
    /// A debug build without what earlier builds have left.
    Debug,
    /// A debug build after one body has changed.
    Edit,
    Release,
}

impl Work {
    pub(crate) fn name(self) -> &'static str {
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
pub(crate) struct Project {
    directory: PathBuf,
    target: PathBuf,
    name: String,
    library: &'static Library,
    is_annotated: bool,
    functions: usize,
}

impl Project {
    pub(crate) fn new(library: &'static Library, is_annotated: bool, functions: usize) -> Self {
        let project = Self::unbuilt(library, is_annotated, functions, "target");
        // Builds the dependencies, where that has not been done.
        for work in [Work::Check, Work::Debug, Work::Release] {
            project.run(work.arguments());
        }
        project
    }

    fn unbuilt(
        library: &'static Library,
        is_annotated: bool,
        functions: usize,
        target: &str,
    ) -> Self {
        let kind = if is_annotated { "annotated" } else { "plain" };
        let name = format!("{}-{kind}", library.name);
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build_time");
        let runtime = env!("CARGO_MANIFEST_DIR");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[dependencies]\n{}\n\
             tokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}\n\n[workspace]\n",
            library.dependency.replace("{runtime}", runtime)
        );
        let (directory, target) = (all.join(&name), all.join(target));
        fs::create_dir_all(directory.join("src")).expect("a writable directory");
        fs::write(directory.join("Cargo.toml"), manifest).expect("a writable directory");
        let lock = Path::new(runtime).join("../Cargo.lock");
        fs::copy(lock, directory.join("Cargo.lock")).expect("a writable directory");
        let project = Self { directory, target, name, library, is_annotated, functions };
        project.write_edition(0);
        project
    }

    /// What the work costs, after the preparations for it.
    pub(crate) fn time(&self, work: Work) -> Duration {
        match work {
            Work::Edit => {
                self.write_edition(0);
                self.run(work.arguments());
                self.write_edition(1);
            }
            Work::Release => self.run(&["clean", "--quiet", "--release", "--package", &self.name]),
            _ => self.run(&["clean", "--quiet", "--package", &self.name]),
        }
        let before = cpu_of_children();
        self.run(work.arguments());
        cpu_of_children().saturating_sub(before)
    }

    /// How many functions may call each other.
    pub(crate) fn deepest(&self) -> usize {
        let compiles = |functions: usize| {
            self.write(&self.library.nested(self.is_annotated, functions));
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

    fn write_edition(&self, edition: usize) {
        self.write(&self.library.flat(self.is_annotated, self.functions, edition));
    }

    fn write(&self, source: &str) {
        fs::write(self.directory.join("src/main.rs"), source).expect("a writable directory");
    }

    fn run(&self, arguments: &[&str]) {
        assert!(self.cargo(arguments), "{} does not compile", self.directory.display());
    }

    fn cargo(&self, arguments: &[&str]) -> bool {
        let status = Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("CARGO_PROFILE_DEV_DEBUG")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.expect("cargo").success()
    }

    /// Of the debug program, in MB.
    pub(crate) fn size(&self) -> f64 {
        let program = fs::metadata(self.target.join("debug").join(&self.name));
        program.expect("a program").len() as f64 / 1e6
    }
}

/// What a debug build costs that finds nothing built, not even the dependencies.
pub(crate) fn clean_build(library: &'static Library) -> Duration {
    let project = Project::unbuilt(library, true, 10, "clean");
    let remove = || {
        if project.target.exists() {
            fs::remove_dir_all(&project.target).expect("a directory of its own");
        }
    };
    remove();
    // Downloads nothing in the time that counts.
    project.run(&["fetch", "--quiet"]);
    let before = cpu_of_children();
    project.run(Work::Debug.arguments());
    let took = cpu_of_children().saturating_sub(before);
    remove();
    took
}

/// What all processes have cost that this one has waited for: the 16th and 17th field of
/// `/proc/self/stat`, in ticks of 10 ms (proc(5)).
fn cpu_of_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks = fields.split_whitespace().skip(13).take(2);
    ticks.map(|field| Duration::from_millis(10 * field.parse::<u64>().expect("ticks"))).sum()
}
