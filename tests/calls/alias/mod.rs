//! Functions that find the entity of another function by another key.

mod by_hand;
mod entries;
mod fixture;
mod races;
mod records;
