//! What a write invalidates.

use crate::key::{Key, KeyText, Tag};

/// Keys and patterns, without the namespace.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    pub(super) keys: Vec<String>,
    pub(super) patterns: Vec<String>,
}

impl Targets {
    /// Adds the entry of a function.
    pub fn invalidate<T>(&mut self, key: Key<T>) {
        self.keys.push(key.into_text());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.keys.push(text.to_owned());
    }

    /// Adds an entry by its text.
    pub fn key(&mut self, key: KeyText) {
        self.keys.push(key.into_string());
    }

    /// Adds all entries with a tag.
    pub fn tag(&mut self, tag: impl Into<Tag>) {
        self.keys.push(tag.into().into_key());
    }

    /// Adds the entries that match.
    pub fn pattern(&mut self, pattern: KeyText) {
        self.patterns.push(pattern.into_string());
    }

    /// Adds what `target` adds for each item.
    pub fn each<I: IntoIterator>(&mut self, items: I, mut target: impl FnMut(I::Item, &mut Self)) {
        items.into_iter().for_each(|item| target(item, self));
    }
}
