//! What a write stores in the entries that it has fenced.
//!
//! A value may be stored only by the compare-and-set that lifts the fence. If a value cannot be
//! stored (it cannot be encoded, is too large, is a `None`, or is excluded by its function),
//! lifting the fence simply invalidates the entry.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::codec::fidelity::{Difference, Exactness};
use crate::codec::{Codec, CodecError};
use crate::engine::Core;
use crate::engine::entry::{self, Content, Head, Lasting, Unfit};
use crate::engine::tags::{Standing, Tags, of_value};
use crate::key::{Key, Unhashable};
use crate::metrics::Event;
use crate::policy::Callsite;
use crate::record::KeyHash;
use crate::record::token::Token;
use crate::store::{Ended, Fill, Store, StoreResult};
use crate::support::panic::guarded;
use crate::typing::{self, Answer, Compare, IsAbsent, Returns, Sharing, Storable};
use crate::write::stamps::{Late, Stamps, Tagged};

/// An entry that a write stores a value in.
pub struct Through<T> {
    key: Key<T>,
    encoding: Returns<T, T>,
}

impl<T: Storable> Through<T> {
    /// The entry of this key.
    #[must_use]
    pub fn new(key: Key<T>, is_absent: IsAbsent<T>, compare: impl Compare<T>) -> Self {
        let hand = typing::Encoded;
        let encoding = Returns::new(&Answer::of_key(), is_absent, Sharing::NONE, hand, compare);
        Self { key, encoding }
    }
}

impl<T> Through<T> {
    /// The entry's text, if there is such an entry.
    pub(crate) fn text(&self) -> Result<&str, Unhashable> {
        self.key.unhashable().map_or(Ok(self.key.as_str()), Err)
    }

    pub(super) fn callsite(&self) -> &'static Callsite {
        self.key.callsite()
    }

    pub(super) fn owner(&self) -> &'static Callsite {
        self.key.owner()
    }

    pub(super) fn tagged(&self) -> Option<Tagged> {
        Tagged::new(&self.key)
    }

    /// The tags that a value tells.
    fn told(&self, value: &T, cache: &Core) -> Result<Vec<String>, Unfit> {
        of_value::told(cache, self.key.typed().told(value))
    }

    /// What is to be stored of a value, if anything is.
    fn fill(
        &self,
        value: &T,
        text: &str,
        token: Token,
        (tags, stamps): (&Tags, &Standing),
        cache: &Core,
    ) -> Option<Result<Fill, Unfit>> {
        let key = &self.key;
        let (callsite, schema) = (key.callsite(), key.schema(cache.settings().codec));
        let made = Worth { through: self, value };
        let (fresh, stale) = entry::times(callsite, &made)?;
        let (name, took) = (KeyHash::of(text), Duration::ZERO);
        let head = Head { name, token, stamps: stamps.stamps(), told: tags.of_value(), took };
        let record = head.record(cache, callsite, schema, &made);
        Some(record.map(|record| Fill::new(record, fresh, stale)))
    }
}

/// A value for the entry of a write.
struct Worth<'a, T> {
    through: &'a Through<T>,
    value: &'a T,
}

impl<T> Content for Worth<'_, T> {
    fn encode(&self, codec: Codec, out: &mut Vec<u8>) -> Result<Exactness, CodecError> {
        self.through.encoding.encode(self.value, codec, out)
    }

    fn compare(&self, codec: Codec, payload: &[u8]) -> Result<(), Difference> {
        self.through.encoding.compare(self.value, codec, payload)
    }
}

impl<T> Lasting for Worth<'_, T> {
    fn is_absent(&self) -> bool {
        (self.through.encoding.is_absent)(self.value)
    }

    fn is_excluded(&self) -> bool {
        self.through.key.typed().may_exclude(self.value)
    }

    fn ttl(&self) -> Option<Duration> {
        self.through.key.typed().ttl(self.value)
    }
}

/// What the success value is stored as by default: itself.
#[diagnostic::on_unimplemented(
    message = "the entry stores `{T}`, and this write returns `{Self}`",
    label = "not what is stored here",
    note = "say what to store: `get_user(..) = expression`, over the parameters and `result`, such \
        as `= Some(result.clone())`"
)]
pub trait StoredAs<T> {
    /// The value as it is stored.
    fn as_stored(&self) -> &T;
}

#[diagnostic::do_not_recommend]
impl<T> StoredAs<T> for T {
    fn as_stored(&self) -> &T {
        self
    }
}

/// An argument from which a value or a target can still be made after the body has consumed it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is needed after the body, which may take it, and cannot be cloned before",
    label = "not `Clone`",
    note = "return what is needed and use `result`, or take it by shared reference"
)]
pub trait Keep: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Keep for T {}

/// Keeps an argument that the body may consume.
pub fn kept<T: Keep>(parameter: &T) -> T {
    parameter.clone()
}

/// The values of one write, encoded.
#[derive(Debug)]
pub struct Values {
    cache: Core,
    writer: Token,
    stamps: Stamps,
    made: BTreeMap<String, Made>,
    /// What could not be stored, and whose values those were.
    unfit: Vec<(Unfit, &'static Callsite)>,
}

/// What a write could not store.
pub(super) struct Untold {
    cache: Core,
    /// Each with the function that it belongs to.
    unfit: Vec<(Unfit, &'static Callsite)>,
}

impl Untold {
    pub(super) fn tell(&self) {
        for (unfit, callsite) in &self.unfit {
            unfit.tell(&self.cache, callsite);
        }
    }
}

/// A value, which is taken out when it is sent, and the policy by which it was made.
#[derive(Debug)]
struct Made {
    fill: Option<Fill>,
    /// The tags of the value whose stamps are not in its record yet.
    late: Option<Late>,
    callsite: &'static Callsite,
}

impl Values {
    pub(super) fn new(cache: Core, writer: Token) -> Self {
        let (stamps, made, unfit) = (Stamps::default(), BTreeMap::new(), Vec::new());
        Self { cache, writer, stamps, made, unfit }
    }

    /// The same with these stamps for the entries that have tags.
    pub(super) fn under(self, stamps: Stamps) -> Self {
        Self { stamps, ..self }
    }

    /// Stores `value` in an entry, unless an invalidation of that is on its way, which would remove
    /// the value again and may be the later of the two.
    pub fn store<T>(&mut self, entry: &Through<T>, value: &T) {
        let Ok(text) = entry.text() else { return };
        let text = self.cache.full_text(text).into_owned();
        let (callsite, mut tags) = (entry.key.callsite(), Tags::of(&self.cache, &entry.key));
        match guarded(|| entry.told(value, &self.cache)) {
            Some(Ok(told)) => tags.set_of_value(told),
            Some(Err(unfit)) => return self.unfit.push((unfit, callsite)),
            None => return,
        }
        if tags.are_outdated(&self.cache, &text) {
            return;
        }
        if entry.key.is_alias() {
            return self.unfit.push((Unfit::Alias, callsite));
        }
        if !entry.key.has_ttl() {
            return self.unfit.push((Unfit::WithoutTtl, callsite));
        }
        let Some((stamps, late)) = self.stamps.of(&tags, &text) else { return };
        match entry.fill(value, &text, self.writer, (&tags, &stamps), &self.cache) {
            Some(Ok(fill)) => {
                self.made.insert(text, Made { fill: Some(fill), late, callsite });
            }
            Some(Err(unfit)) => self.unfit.push((unfit, callsite)),
            None => {}
        }
    }

    /// Stores what the write returned.
    pub fn store_result<T, V: StoredAs<T>>(&mut self, entry: &Through<T>, result: &V) {
        self.store(entry, result.as_stored());
    }

    /// Takes out the values that could not be stored. They are reported when the write is over,
    /// because the report may panic.
    pub(super) fn take_unfit(&mut self) -> Option<Box<Untold>> {
        let unfit = std::mem::take(&mut self.unfit);
        (!unfit.is_empty()).then(|| Box::new(Untold { cache: self.cache.clone(), unfit }))
    }

    /// Captures the stamps that could not be captured before the body, because nobody had guessed
    /// the tags. A value that may not be stored is dropped.
    pub(super) async fn settle(&mut self, store: &Store) {
        for (text, mut made) in std::mem::take(&mut self.made) {
            if let (Some(late), Some(fill)) = (made.late.take(), &mut made.fill)
                && let Err(event) = late.settle(&self.cache, store, fill).await
            {
                self.cache.recorder().count(made.callsite, event);
                continue;
            }
            self.made.insert(text, made);
        }
    }

    /// The value for a key, to be sent.
    pub(super) fn take(&mut self, key: &str) -> Option<Fill> {
        self.made.get_mut(key)?.fill.take()
    }

    /// Counts the outcome for a key's value.
    pub(super) fn count(&self, key: &str, reply: &StoreResult<Ended>) {
        let Some(made) = self.made.get(key) else { return };
        let event = match reply {
            Ok(Ended::Stored) => Event::Stored,
            Ok(_) => Event::Refused,
            Err(error) => error.event(),
        };
        self.cache.recorder().count(made.callsite, event);
    }
}

impl<T> fmt::Debug for Through<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Through").field(&self.key).finish()
    }
}
