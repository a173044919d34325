//! `cache = expr` of the attributes: anything that leads to a [`Cache`].

use crate::cache::Cache;
use crate::queue::definition::QueueBuilder;
use crate::read::{Read, ReadMany};
use crate::write::Write;

impl<T, U> Read<T, U> {
    /// Uses this cache and not the ambient one.
    pub fn cache(self, cache: impl AsRef<Cache>) -> Self {
        self.on(cache.as_ref().core().clone())
    }
}

impl<I, C, T, U> ReadMany<I, C, T, U> {
    /// Uses this cache and not the ambient one.
    pub fn cache(self, cache: impl AsRef<Cache>) -> Self {
        self.on(cache.as_ref().core().clone())
    }
}

impl Write {
    /// Uses this cache and not the ambient one.
    pub fn cache(self, cache: impl AsRef<Cache>) -> Self {
        self.on(cache.as_ref().core().clone())
    }
}

impl<T> QueueBuilder<T> {
    /// Uses this cache and not the ambient one.
    pub fn cache(self, cache: impl AsRef<Cache>) -> Self {
        self.on(cache.as_ref().core().clone())
    }
}
