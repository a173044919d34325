//! Stored bytes: what they are, and what becomes of bytes that are not what they should be.

mod bombs;
mod damage;
mod foreign;
mod formats;
mod panics;
mod releases;
mod schemas;
mod sizes;
mod stage;
