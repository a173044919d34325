//! Values come back as they went in, or not at all: what serde leaves out or changes, what a codec has no word for, and what
//! callers get that wait for another one's load.

mod altered;
mod batches;
mod exact;
mod kinds;
mod stage;
mod strict;
mod waiters;
mod writes;
