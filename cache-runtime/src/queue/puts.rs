//! Cache entries that a push updates.

use serde::Serialize;

use crate::key::Key;

/// The entries that belong to an item, with the values that they get.
#[derive(Debug, Default)]
pub struct Puts {}

impl Puts {
    /// Adds an entry.
    pub fn put<V: Serialize>(&mut self, key: Key<V>, value: &V) {
        let _ = (self, key, value);
    }
}
