//! What becomes of cache entries when an item has come out of the queue.
//!
//! An entry that was put by a push may have been evicted since, and loaded again from the database
//! before that knew the item. So once it does, whatever is in the entry is removed, but for what
//! was put by that push or a later one: the writer's token tells ([`Token::of_push`]). Done before
//! the item is acknowledged, it is done at least once.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::engine::Core;
use crate::queue::push::puts::Puts;
use crate::record::{self, Found, KeyHash};
use crate::store::{Get, Name};

/// Where items go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::queue) enum Fate {
    /// The database has them.
    Delivered,
    /// They become dead letters: the database does not get them, and what they put is wrong too.
    Buried,
}

/// The entries of items that leave the queue.
pub(in crate::queue) struct Leaving<T> {
    put: fn(&T, &mut Puts<'_>),
    /// Entries by their full texts, and what decides about each: the latest item's version.
    entries: BTreeMap<String, i64>,
    fate: Fate,
}

impl<T> Leaving<T> {
    pub(in crate::queue) fn new(put: fn(&T, &mut Puts<'_>), fate: Fate) -> Self {
        Self { put, entries: BTreeMap::new(), fate }
    }

    pub(in crate::queue) fn add(&mut self, cache: &Core, item: &T, version: i64) {
        let mut names = Vec::new();
        (self.put)(item, &mut Puts::names(&mut names));
        for name in &names {
            let latest = self.entries.entry(cache.full_text(name).into_owned()).or_insert(version);
            *latest = version.max(*latest);
        }
    }

    /// Removes what is outdated. What is not acknowledged goes to the journal.
    pub(in crate::queue) async fn settle(self, cache: &Core) {
        let Some(store) = cache.store() else { return };
        let names: Vec<_> = self.entries.keys().map(|text| Name::new(text)).collect();
        if names.is_empty() {
            return;
        }
        let found = store.send_each(&names, Get, cache.budget().deadline()).await;
        let outdated = self.entries.iter().zip(found).filter(|((text, version), found)| {
            let Ok(Some(record)) = found else { return found.is_err() };
            match record::read(record.clone(), KeyHash::of(text)) {
                Found::Value(value) => match value.token().of_push() {
                    Some(put) if self.fate == Fate::Buried => put <= **version,
                    Some(put) => put < **version,
                    None => true,
                },
                // Who loads may have read too early.
                Found::Lease => true,
                // Nobody stores, and who ends it does not bring back what is old.
                Found::Fence
                | Found::Damaged
                | Found::Misplaced(_)
                | Found::OfAnotherPrimary
                | Found::Foreign => false,
            }
        });
        let outdated: Vec<_> = outdated.map(|((text, _), _)| text.clone()).collect();
        if !outdated.is_empty() {
            _ = cache.remove(&outdated, Duration::ZERO).await;
        }
    }
}

impl<T> fmt::Debug for Leaving<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Leaving").field(&self.entries).finish()
    }
}
