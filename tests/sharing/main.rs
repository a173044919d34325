//! Functions that share entries: which do so by accident, and what is said of it.

mod automatic;
mod by_hand;
mod clashes;
mod elsewhere;
mod stage;
