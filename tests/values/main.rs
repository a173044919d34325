//! Values come back as they went in, or not at all: what serde leaves out or changes, what a codec
//! has no word for, and what callers get that wait for another one's load; and keys, which must be
//! as exact.

mod altered;
mod batches;
mod codecs;
mod exact;
mod fixture;
mod hashes;
mod key_parts;
mod keys;
mod kinds;
mod strict;
mod waiters;
mod writes;
