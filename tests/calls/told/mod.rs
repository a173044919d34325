//! Tags that only the value tells.

mod entries;
mod fixture;
mod races;
mod writes;
