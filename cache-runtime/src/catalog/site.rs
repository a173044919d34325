//! What the attributes of a program register for the catalogue: one site each, collected by the
//! linker.

use std::panic::Location;

use crate::policy::place::{Here, Place, Source};
use crate::policy::shape::Sketch;

/// A function under `#[cached]`, as its attribute spells it.
#[derive(Debug)]
pub struct CachedSite {
    pub(super) function: &'static str,
    pub(super) key: &'static str,
    pub(super) location: &'static Location<'static>,
    pub(super) shape: Option<&'static str>,
    pub(super) here: Option<Here>,
    pub(super) tags: &'static [&'static str],
    /// Whether it may have others, which its values tell.
    pub(super) has_unseen_tags: bool,
    /// The companion of the function whose entries it uses.
    pub(super) shares: Option<&'static str>,
    /// The companion of the function whose entries hold its values, if it is an alias.
    pub(super) leads_to: Option<&'static str>,
    /// The name of its companion, if it is not the usual one.
    companion: Option<&'static str>,
    /// Its key expression adds tags.
    pub(super) retagged: bool,
    pub(super) codec: Option<&'static str>,
    pub(super) version: Option<u32>,
    pub(super) options: &'static str,
    pub(super) ttl_ms: Option<u64>,
    pub(super) value: &'static str,
    pub(super) type_name: Option<fn() -> &'static str>,
    pub(super) cache: &'static str,
}

/// A write, and what it names.
#[derive(Debug)]
pub struct WriteSite {
    pub(super) function: &'static str,
    pub(super) attribute: &'static str,
    pub(super) options: &'static str,
    pub(super) targets: &'static [Target],
    pub(super) here: Option<Here>,
    pub(super) location: &'static Location<'static>,
    /// The queue of a sink.
    pub(super) queue: Option<&'static str>,
    pub(super) cache: &'static str,
}

/// What a write names, and how it is spelled.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// The entry of a function, by its name, or by that of its companion if no function has the
    /// name.
    Function(&'static str),
    /// The entry of the function that has this companion, if there is one.
    Companion(&'static str),
    /// The entry of a key template, and its shape.
    Key(&'static str, &'static str),
    /// The entries with a tag, and its shape.
    Tag(&'static str, &'static str),
    /// The entries of a pattern, and its shape.
    Pattern(&'static str, &'static str),
    /// An expression, about which nothing is known.
    Unknown(&'static str),
}

inventory::collect!(CachedSite);
inventory::collect!(WriteSite);

impl CachedSite {
    /// A function by its path, with its key, its stored type and its options as they are written.
    #[must_use]
    #[track_caller]
    pub const fn new(
        function: &'static str,
        key: &'static str,
        value: &'static str,
        options: &'static str,
    ) -> Self {
        Self {
            function,
            key,
            location: Location::caller(),
            shape: None,
            here: None,
            tags: &[],
            has_unseen_tags: false,
            shares: None,
            leads_to: None,
            companion: None,
            retagged: false,
            codec: None,
            version: None,
            options,
            ttl_ms: None,
            value,
            type_name: None,
            cache: "",
        }
    }

    /// Its own template, with the kind of each placeholder in place of its name, and where the
    /// function is.
    #[must_use]
    pub const fn shape(mut self, shape: &'static str, here: Here) -> Self {
        self.shape = Some(shape);
        self.here = Some(here);
        self
    }

    /// The shapes of its tags.
    #[must_use]
    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    /// Its values tell tags, and its attribute does not show which.
    #[must_use]
    pub const fn unseen_tags(mut self) -> Self {
        self.has_unseen_tags = true;
        self
    }

    /// Its entries are those of the function that has this companion.
    #[must_use]
    pub const fn shares(mut self, companion: &'static str) -> Self {
        self.shares = Some(companion);
        self
    }

    /// Its values are in the entries of the function that has this companion.
    #[must_use]
    pub const fn leads_to(mut self, companion: &'static str) -> Self {
        self.leads_to = Some(companion);
        self
    }

    /// The name of its companion.
    #[must_use]
    pub const fn companion(mut self, name: &'static str) -> Self {
        self.companion = Some(name);
        self
    }

    /// The path of its companion, which stands beside it.
    pub(super) fn companion_path(&self) -> String {
        match (self.companion, self.function.rsplit_once("::")) {
            (None, _) => format!("{}_key", self.function),
            (Some(name), None) => name.to_owned(),
            (Some(name), Some((outside, _))) => format!("{outside}::{name}"),
        }
    }

    /// The expression of its key adds tags.
    #[must_use]
    pub const fn retagged(mut self) -> Self {
        self.retagged = true;
        self
    }

    /// The codec that it states.
    #[must_use]
    pub const fn codec(mut self, codec: &'static str) -> Self {
        self.codec = Some(codec);
        self
    }

    /// The version that it states.
    #[must_use]
    pub const fn version(mut self, version: u32) -> Self {
        self.version = Some(version);
        self
    }

    /// How long a value is served, where that is no expression.
    #[must_use]
    pub const fn ttl_ms(mut self, ttl: u64) -> Self {
        self.ttl_ms = Some(ttl);
        self
    }

    /// The stored type as the compiler knows it.
    #[must_use]
    pub const fn typed(mut self, type_name: fn() -> &'static str) -> Self {
        self.type_name = Some(type_name);
        self
    }

    /// The cache that it names.
    #[must_use]
    pub const fn cache(mut self, cache: &'static str) -> Self {
        self.cache = cache;
        self
    }

    /// What its own keys look like.
    pub(super) fn sketch(&self) -> Option<Sketch<'static>> {
        self.shape.map(|shape| Sketch { shape, function: self.function })
    }

    pub(super) fn place(&self) -> Option<Place> {
        self.here.map(Here::place)
    }

    pub(super) fn source(&self) -> Source {
        Source { function: self.function, here: self.here, location: self.location }
    }
}

impl WriteSite {
    /// A write by its path, with its attribute, options and targets as they are written.
    #[must_use]
    #[track_caller]
    pub const fn new(
        function: &'static str,
        attribute: &'static str,
        options: &'static str,
        targets: &'static [Target],
    ) -> Self {
        let (here, location) = (None, Location::caller());
        Self { function, attribute, options, targets, here, location, queue: None, cache: "" }
    }

    /// Where it is.
    #[must_use]
    pub const fn at(mut self, here: Here) -> Self {
        self.here = Some(here);
        self
    }

    /// The queue in front of a sink.
    #[must_use]
    pub const fn queue(mut self, queue: &'static str) -> Self {
        self.queue = Some(queue);
        self
    }

    /// The cache that it names.
    #[must_use]
    pub const fn cache(mut self, cache: &'static str) -> Self {
        self.cache = cache;
        self
    }

    pub(super) fn place(&self) -> Option<Place> {
        self.here.map(Here::place)
    }

    pub(super) fn source(&self) -> Source {
        Source { function: self.function, here: self.here, location: self.location }
    }
}
