//! What operators ask of a cache.

mod explain;
mod survey;
