//! What a write invalidates.

use crate::engine::{Core, elsewhere};
use crate::key::{AsTag, Key, KeyText, Unhashable};
use crate::policy::{BY_HAND, Callsite};

/// Keys and patterns, without the namespace.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// The first function that names a cache, and the first that does not.
    pub(super) named: Option<&'static Callsite>,
    pub(super) unnamed: Option<&'static Callsite>,
    pub(super) keys: Vec<String>,
    /// Keys whose values may still be served as stale ones.
    pub(super) stale: Vec<String>,
    pub(super) patterns: Vec<String>,
    /// Those that name no entry, with the functions whose entries they would be.
    pub(super) refused: Vec<(&'static Callsite, Unhashable)>,
}

impl Targets {
    /// Adds the entry of a function.
    pub fn invalidate<T>(&mut self, key: Key<T>) {
        let (callsite, owner) = (key.callsite(), key.owner());
        self.add_key(key.into_text(), callsite, owner);
    }

    /// Adds all of these, too.
    pub(super) fn extend(&mut self, others: Self) {
        let Self { named, unnamed, keys, stale, patterns, refused } = others;
        self.named = self.named.or(named);
        self.unnamed = self.unnamed.or(unnamed);
        self.keys.extend(keys);
        self.stale.extend(stale);
        self.patterns.extend(patterns);
        self.refused.extend(refused);
    }

    /// All keys and patterns.
    pub(super) fn texts(&self) -> impl Iterator<Item = &String> {
        self.keys.iter().chain(&self.stale).chain(&self.patterns)
    }

    /// Reports a misuse if an entry is in another cache than the one that `write` uses.
    pub(super) fn are_in(&self, cache: &Core, is_named: bool, write: &'static Callsite) {
        let others = if is_named { self.unnamed } else { self.named };
        if let Some(owner) = others
            && elsewhere::is_elsewhere(cache, is_named, owner)
        {
            elsewhere::report(cache, is_named, write, owner);
        }
    }

    fn of(&mut self, owner: &'static Callsite) {
        // A key made by hand is of no function, and may be in any cache.
        if !std::ptr::eq(owner, &raw const BY_HAND) {
            let first = if owner.is_in_named_cache() { &mut self.named } else { &mut self.unnamed };
            first.get_or_insert(owner);
        }
    }

    /// Adds an entry by its text.
    pub fn key(&mut self, key: KeyText) {
        self.add_key(key.into_text(), &BY_HAND, &BY_HAND);
    }

    /// Adds all entries with a tag.
    pub fn tag(&mut self, tag: impl AsTag) {
        self.add_key(tag.into().into_key(), &BY_HAND, &BY_HAND);
    }

    /// Adds the entries that match.
    pub fn pattern(&mut self, pattern: KeyText) {
        match pattern.into_text() {
            Ok(pattern) => self.patterns.push(pattern),
            Err(unhashable) => self.refused.push((&BY_HAND, unhashable)),
        }
    }

    /// Adds an entry of `owner`, whose key the function at `callsite` has made.
    pub(super) fn add_key(
        &mut self,
        key: Result<String, Unhashable>,
        callsite: &'static Callsite,
        owner: &'static Callsite,
    ) {
        self.of(owner);
        match key {
            Ok(key) => self.keys.push(key),
            Err(unhashable) => self.refused.push((callsite, unhashable)),
        }
    }

    /// Adds what `target` adds, where the values may still be served as stale ones.
    pub fn keep_stale(&mut self, target: impl FnOnce(&mut Self)) {
        let mut targets = Self::default();
        target(&mut targets);
        targets.stale.append(&mut targets.keys);
        self.extend(targets);
    }

    /// Adds what `target` adds for each item.
    pub fn each<I: IntoIterator>(&mut self, items: I, mut target: impl FnMut(I::Item, &mut Self)) {
        items.into_iter().for_each(|item| target(item, self));
    }
}
