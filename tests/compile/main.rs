//! What rustc says about every mistake that can be found at compile time.
//!
//! There is one file of mistakes for each option or topic in `tests/ui`, and beside it the messages
//! of the compiler that `tests/ui/COMPILER` names. `TRYBUILD=overwrite cargo test --test compile`
//! writes the messages anew, and the name; read them before you commit them.
//!
//! Much of a message is rustc's own and differs between its versions. With another compiler every
//! file still has to fail, with every line that this library has written. `UI_TOOLCHAIN=1.88`
//! checks that with a toolchain of rustup, which then compiles the files alone, not this test.

mod cases;
mod own;

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::process::Command;

use cases::Cases;
use own::Own;

const COMPILER: &str = "tests/ui/COMPILER";

#[test]
fn mistakes() {
    let toolchain = env::var("UI_TOOLCHAIN").ok();
    let written_by = fs::read_to_string(COMPILER).unwrap();
    let compiler = version();
    let overwrite = env::var("TRYBUILD").is_ok_and(|mode| mode == "overwrite");
    if toolchain.is_none() && (overwrite || compiler == written_by.trim()) {
        {
            // Compares when it is dropped, and panics where something differs.
            trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
        }
        if overwrite {
            fs::write(COMPILER, format!("{compiler}\n")).unwrap();
        }
        return;
    }
    let with = toolchain.as_deref().unwrap_or(&compiler);
    // Shown also where a test that succeeds shows nothing.
    writeln!(
        io::stderr(),
        "the messages in tests/ui are those of rustc {}; with {with} only the lines that this \
         library has written are compared",
        written_by.trim()
    )
    .unwrap();
    let own = Own::of_the_sources();
    let mut differences = Vec::new();
    for (name, output) in Cases::compile(toolchain.as_deref()).outputs() {
        let messages = fs::read_to_string(format!("tests/ui/{name}.stderr")).unwrap();
        differences.extend(own.differences(name, &messages, output));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The version of the compiler that has built this test: `1.95.0`.
fn version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().nth(1).unwrap().to_owned()
}

const MESSAGES: &str = "\
error: `jitter` is a fraction of the ttl, a number from 0.0 to 1.0
 --> tests/ui/numbers.rs:9:48
  |
9 | #[cached(key = \"user:<id>\", ttl = 60, jitter = 10)]
  |                                                ^^

error[E0277]: `Id` cannot be an id of a batch
  --> tests/ui/batch_types.rs:30:1
   |
30 | #[cached(batch(id in ids), key = \"user:<id.0>\", ttl = 60)]
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ is cloned, compared and hashed
   |
   = note: derive or implement `Clone`, `PartialEq`, `Eq` and `Hash` for it
   = note: required for `Vec<Id>` to implement `cache_runtime::__private::Ids`
";

#[test]
fn own_lines_are_told_from_those_of_rustc() {
    assert_eq!(
        Own::of_the_sources().lines(MESSAGES),
        [
            "`jitter` is a fraction of the ttl, a number from 0.0 to 1.0",
            "`Id` cannot be an id of a batch",
            "is cloned, compared and hashed",
            "derive or implement `Clone`, `PartialEq`, `Eq` and `Hash` for it",
        ]
    );
}

#[test]
fn a_lost_line_is_a_difference_and_a_line_of_rustc_is_not() {
    let own = Own::of_the_sources();
    assert_eq!(own.differences("case", MESSAGES, MESSAGES), [""; 0]);
    let reworded = MESSAGES.replace("required for", "needed for").replace(":30:", ":31:");
    assert_eq!(own.differences("case", MESSAGES, &reworded), [""; 0]);
    for line in own.lines(MESSAGES) {
        let output = MESSAGES.replace(&line, "another text");
        assert_eq!(
            own.differences("case", MESSAGES, &output),
            [format!("tests/ui/case.rs: rustc does not say: {line}")]
        );
    }
    assert_eq!(own.differences("case", MESSAGES, ""), ["tests/ui/case.rs compiles"]);
    let twice = [MESSAGES, MESSAGES].concat();
    assert_eq!(own.differences("case", &twice, MESSAGES).len(), 4);
}

/// Errors without a code are those of macros, but for a few of rustc's.
#[test]
fn what_the_macros_say_is_known_as_their_own() {
    const OF_RUSTC: [&str; 3] = [
        "future cannot be sent between threads safely",
        "lifetime may not live long enough",
        "expected item after attributes",
    ];
    let own = Own::of_the_sources();
    let mut unknown = Vec::new();
    for file in fs::read_dir("tests/ui").unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "stderr") {
            continue;
        }
        let messages = fs::read_to_string(&path).unwrap();
        let errors = messages.lines().filter_map(|line| line.strip_prefix("error: "));
        let others = errors.filter(|error| !OF_RUSTC.contains(error) && !own.has_written(error));
        unknown.extend(others.map(|error| format!("{}: {error}", path.display())));
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}
