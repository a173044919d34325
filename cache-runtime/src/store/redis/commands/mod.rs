//! The commands, one file for each kind.

pub(crate) mod bounded_read;
pub(crate) mod bulk;
pub(crate) mod encode;
pub(crate) mod pieces;
pub(crate) mod read;
pub(crate) mod read_many;
pub(crate) mod scan;
pub(crate) mod tags;
pub(crate) mod without_scripts;
pub(crate) mod write;
