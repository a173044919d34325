//! Many callers of one key, in one process and in several.

#[path = "../support/mod.rs"]
mod support;

mod failures;
mod one_process;
mod processes;
mod shared_errors;
mod stage;
mod two_processes;
