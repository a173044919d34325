//! What becomes of several items of one key in a batch.

use std::collections::HashMap;

use crate::queue::sink::batch::Versioned;

/// What becomes of several items of one key.
#[derive(Debug)]
pub(crate) enum Merge<T> {
    /// The one with the highest version counts.
    Last,
    /// Each counts.
    All,
    /// An older and a newer one make one.
    Fold(fn(T, T) -> T),
}

impl<T> Clone for Merge<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Merge<T> {}

impl<T> Merge<T> {
    /// Which entries each item of a batch was made of, by their keys.
    pub(crate) fn origins<'a>(self, keys: impl IntoIterator<Item = &'a str>) -> Vec<Vec<usize>> {
        let mut origins: Vec<Vec<usize>> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (entry, key) in keys.into_iter().enumerate() {
            let place = match self {
                Self::All => origins.len(),
                Self::Last | Self::Fold(_) => *places.entry(key).or_insert(origins.len()),
            };
            match origins.get_mut(place) {
                Some(origin) => origin.push(entry),
                None => origins.push(vec![entry]),
            }
        }
        origins
    }

    pub(super) fn apply(self, older: Versioned<T>, newer: Versioned<T>) -> Versioned<T> {
        match self {
            // A dead letter that comes back stands behind younger items.
            Self::Last if older.version > newer.version => older,
            Self::Last | Self::All => newer,
            Self::Fold(fold) => Versioned {
                version: older.version.max(newer.version),
                item: fold(older.item, newer.item),
            },
        }
    }
}
