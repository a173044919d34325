//! The commands, one file for each kind.

mod bounded_read;
pub(crate) mod bulk;
pub(crate) mod encode;
pub(crate) mod pieces;
mod read;
mod read_many;
pub(crate) mod scan;
mod tags;
mod without_scripts;
mod write;
