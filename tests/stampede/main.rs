//! Many callers of one key, in one process and in several.

mod failures;
mod one_process;
mod processes;
mod shared_errors;
mod stage;
mod two_processes;
