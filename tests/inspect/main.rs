//! What operators ask of a cache.

mod explain;
mod last_miss;
mod survey;
