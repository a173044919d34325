//! Processes whose clock is wrong.

use std::ffi::{OsStr, OsString};
use std::fs;

use serde::Serialize;

use super::children::Child;

/// What the dynamic linker loads to shift the clock; the package has it in a directory of the
/// architecture.
fn library() -> OsString {
    let directories = fs::read_dir("/usr/lib").expect("a Unix system").filter_map(Result::ok);
    directories
        .map(|directory| directory.path().join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.exists())
        .expect("`tests/run` installs the package faketime")
        .into()
}

/// Starts a child whose wall clock is ahead by `shift`, such as `+1h`. How long something takes it
/// knows.
pub fn spawn(test: &str, setup: &(impl Serialize + ?Sized), shift: &str) -> Child {
    let library = library();
    let variables = [
        ("LD_PRELOAD", library.as_os_str()),
        ("FAKETIME", OsStr::new(shift)),
        ("FAKETIME_DONT_FAKE_MONOTONIC", OsStr::new("1")),
        ("DONT_FAKE_MONOTONIC", OsStr::new("1")),
    ];
    Child::spawn_with(test, 0, setup, variables)
}
