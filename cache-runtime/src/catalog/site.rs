//! What the attributes of a program register for the catalogue: one site each, collected by the linker.

/// A function under `#[cached]`, as its attribute spells it.
#[derive(Debug)]
pub struct CachedSite {
    pub(super) function: &'static str,
    pub(super) key: &'static str,
    pub(super) shape: Option<&'static str>,
    pub(super) tags: &'static [&'static str],
    pub(super) shares: Option<&'static str>,
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
}

/// What a write names, and how it is spelled.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// The entry of a function.
    Function(&'static str),
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
    pub const fn new(
        function: &'static str,
        key: &'static str,
        value: &'static str,
        options: &'static str,
    ) -> Self {
        Self {
            function,
            key,
            shape: None,
            tags: &[],
            shares: None,
            options,
            ttl_ms: None,
            value,
            type_name: None,
            cache: "",
        }
    }

    /// Its own template, with the kind of each placeholder for its name.
    #[must_use]
    pub const fn shape(mut self, shape: &'static str) -> Self {
        self.shape = Some(shape);
        self
    }

    /// The shapes of its tags.
    #[must_use]
    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    /// Its entries are those of this function.
    #[must_use]
    pub const fn shares(mut self, function: &'static str) -> Self {
        self.shares = Some(function);
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
}

impl WriteSite {
    /// A write by its path, with its attribute, options and targets as they are written.
    #[must_use]
    pub const fn new(
        function: &'static str,
        attribute: &'static str,
        options: &'static str,
        targets: &'static [Target],
    ) -> Self {
        Self { function, attribute, options, targets }
    }
}
