//! Which entry a call is about: the one struct that all stages of a call borrow.

use std::mem;

use crate::codec::Schema;
use crate::engine::misuse::{self, Misuse};
use crate::engine::tags::Tags;
use crate::engine::{Core, Mode, ambient, elsewhere, report};
use crate::key::{Key, Unhashable, Untyped};
use crate::metrics::Event;
use crate::policy::{self, Callsite};
use crate::read::alias::known::Alias;
use crate::record::KeyHash;
use crate::store::Name;
use crate::write::{self, scope};

/// One call of a cached function, or one read by hand: its cache, its function and its entry.
///
/// A [lookup](crate::read::lookup::Lookup) owns it, and hands it on to the load. A lease has a
/// copy, because it may be given up in the background after the call has ended.
#[derive(Clone, Debug)]
pub(crate) struct ReadCall {
    pub(crate) cache: Core,
    /// The function whose policy applies, and in whose statistics the call counts.
    pub(crate) callsite: &'static Callsite,
    /// The codec and the version of the values that the call can read.
    pub(crate) schema: Schema,
    /// The key of the entry, with the namespace.
    pub(crate) text: String,
    pub(crate) hash: KeyHash,
    pub(crate) tags: Tags,
    /// Whether a value of another release in the key leads to the key [beside](crate::read::beside)
    /// it. False in that key itself, and for a refresh, which replaces every value.
    pub(crate) looks_beside: bool,
    /// What is known of the entity, if the key is an [alias](crate::read::alias) of one. Boxed,
    /// because few are.
    pub(in crate::read) alias: Option<Box<Alias>>,
}

impl ReadCall {
    /// A call of a function, for the entry with this key in this cache.
    pub(in crate::read) fn new(cache: Core, mut key: Untyped, mode: Mode) -> Self {
        let schema = key.schema(cache.settings().codec);
        let (callsite, text) = (key.callsite, cache.full_text_of(mem::take(&mut key.text)));
        let (hash, is_alias) = (KeyHash::of(&text), key.is_alias());
        let looks_beside = mode == Mode::Through && !is_alias;
        let told = key.tells_tags().then(|| cache.guesses().of(hash));
        let tags = Tags::new(&cache, key.tags(), key.longest_life(), told);
        let alias = None;
        let call = Self { cache, callsite, schema, text, hash, tags, looks_beside, alias };
        if is_alias { call.guessing() } else { call }
    }

    /// A read by hand, which belongs to no function.
    pub(crate) fn by_hand<T>(cache: &Core, key: &Key<T>) -> Self {
        let text = cache.full_text(key.as_str()).into_owned();
        let call = Self {
            cache: cache.clone(),
            callsite: &policy::BY_HAND,
            schema: key.schema(cache.settings().codec),
            hash: KeyHash::of(&text),
            text,
            tags: Tags::of(cache, key),
            looks_beside: !key.is_alias(),
            alias: None,
        };
        if key.is_alias() { call.guessing() } else { call }
    }

    pub(crate) fn name(&self) -> Name<'_> {
        Name { text: &self.text, hash: self.hash }
    }

    /// What a span shows of the key: a hash, unless the cache is to show keys.
    pub(in crate::read) fn traced_key(&self) -> String {
        if self.cache.settings().trace_keys {
            return self.text.clone();
        }
        let KeyHash(hash) = self.hash;
        format!("{hash:016x}")
    }

    /// Whether an invalidation of the entry, or of one of its tags, has not been delivered yet. The
    /// store still has the old value then, so the call must not read it.
    pub(crate) fn is_outdated(&self) -> bool {
        self.tags.are_outdated(&self.cache, &self.text)
            || self.entity().is_some_and(Self::is_outdated)
    }

    /// Whether the present task is writing the entry, or one of its tags.
    pub(crate) fn is_being_written(&self) -> bool {
        is_being_written(&self.cache, &self.text, &self.tags)
            || self.entity().is_some_and(Self::is_being_written)
    }

    /// Takes these for the tags that the value tells, from now on and for the next call; of an
    /// alias, for the names of its entity.
    pub(crate) fn learn_tags(&mut self, texts: Vec<String>) {
        self.cache.guesses().learn(self.hash, &texts);
        if self.is_alias() { self.know(texts) } else { self.tags.set_of_value(texts) }
    }

    pub(crate) fn count(&self, event: Event) {
        self.cache.recorder().count(self.callsite, event);
        report::counted(event);
    }

    /// Whether the call bypasses the cache: because there is no store, because the caller said so,
    /// because its key names no entry, or because its task is writing the entry.
    pub(in crate::read) fn bypasses(&self, mode: Mode, unhashable: Option<Unhashable>) -> bool {
        mode == Mode::Bypass
            || self.reports_unhashable(unhashable)
            || self.is_being_written()
            || self.cache.store().is_none()
    }

    /// Whether the key names no entry, which is a misuse of the attribute.
    fn reports_unhashable(&self, unhashable: Option<Unhashable>) -> bool {
        let Some(unhashable) = unhashable else { return false };
        let description = format_args!("{unhashable}; such calls bypass the cache");
        misuse::report(&self.cache, self.callsite, Misuse::Unhashable, description);
        true
    }
}

/// The cache of a call, and how the call uses it: not at all if the entry is in another cache, or
/// if another function has the same automatic key.
pub(in crate::read) fn resolved(
    named: Option<Core>,
    function: &'static Callsite,
    owner: &'static Callsite,
    mode: Mode,
) -> (Core, Mode) {
    let is_named = named.is_some();
    let cache = named.unwrap_or_else(|| ambient::current(function));
    if !std::ptr::eq(function, owner) && elsewhere::is_elsewhere(&cache, is_named, owner) {
        elsewhere::report(&cache, is_named, function, owner);
        return (cache, Mode::Bypass);
    }
    if function.has_automatic_key() {
        // Before the lookup: the first call must not find what the other function has stored.
        cache.recorder().enter(function);
        if function.is_refused() {
            return (cache, Mode::Bypass);
        }
    }
    (cache, mode)
}

/// Whether the present task is writing the entry with this key, or one of its tags, or reads what
/// a write is going to change, which must come from the database.
pub(crate) fn is_being_written(cache: &Core, text: &str, tags: &Tags) -> bool {
    let is_fenced = |text: &str| scope::is_fenced(cache, text);
    write::is_reading() || is_fenced(text) || tags.texts().any(is_fenced)
}
