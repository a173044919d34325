//! Many callers of one key, in one process and in several.

mod failures;
pub mod fixture;
mod one_process;
mod processes;
mod shared_errors;
mod two_processes;
