//! Which entries a function has: what its keys look like, where they are, and whose it shares.

use std::borrow::Cow;
use std::panic::Location;
use std::sync::atomic::Ordering;

use crate::policy::Callsite;
use crate::policy::place::{Here, Source};
use crate::policy::shape::Sketch;

/// The entries of another function, as an expression makes their keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedEntries {
    pub(crate) owner: &'static Callsite,
    /// How many tags the key has.
    pub(crate) tags: usize,
}

impl Callsite {
    /// The shape of its own template, and where it is.
    #[must_use]
    pub const fn key(mut self, shape: &'static str, here: Here) -> Self {
        self.shape = Some(shape);
        self.here = Some(here);
        self
    }

    /// How many tags its own entries have.
    #[must_use]
    pub const fn tags(mut self, tags: usize) -> Self {
        self.tags = tags;
        self
    }

    /// Its entries are in a cache that it names.
    #[must_use]
    pub const fn names_cache(mut self) -> Self {
        self.names_cache = true;
        self
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// What its own keys look like.
    pub(crate) fn sketch(&self) -> Option<Sketch<'static>> {
        self.shape.map(|shape| Sketch { shape, function: self.name })
    }

    pub(crate) fn here(&self) -> Option<Here> {
        self.here
    }

    /// Where it is written.
    pub(crate) fn source(&self) -> Source {
        Source { function: self.name, here: self.here, location: self.location }
    }

    /// Whether it has no `key`.
    pub(crate) fn has_automatic_key(&self) -> bool {
        self.sketch().is_some_and(Sketch::is_automatic)
    }

    /// The path in its automatic keys: what `make` makes of the name of a closure in it. The first
    /// one is kept, since only a generic function has more of them.
    pub(crate) fn path(
        &self,
        here: &'static str,
        make: impl Fn(&'static str) -> String,
    ) -> Cow<'_, str> {
        let (first, path) = self.path.get_or_init(|| (here, make(here)));
        if std::ptr::eq(*first, here) { Cow::Borrowed(path) } else { Cow::Owned(make(here)) }
    }

    /// Another function has the same automatic key.
    pub(crate) fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// Whether its calls bypass the cache.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    pub(crate) fn own_tags(&self) -> usize {
        self.tags
    }

    pub(crate) fn is_in_named_cache(&self) -> bool {
        self.names_cache
    }

    /// Whose entries it uses, as far as it has been called.
    pub(crate) fn shares(&self) -> Option<&SharedEntries> {
        self.shares.get()
    }

    pub(crate) fn share(&self, shared: impl FnOnce() -> SharedEntries) {
        self.shares.get_or_init(shared);
    }
}
