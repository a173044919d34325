//! Typed keys: the name of an entry, with the value type and the policy that belong to it.

mod alias;
mod builder;
mod canonical;
mod change;
mod crates;
mod keys;
mod moment;
mod part;
mod parts;
mod segment;
mod tag;
mod tagged;

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

pub(crate) use self::alias::Entity;
use self::alias::EntityOf;
pub use self::builder::KeyText;
pub(crate) use self::canonical::Unhashable;
pub use self::change::{Displayed, Lower, Trim};
pub use self::keys::Keys;
pub(crate) use self::keys::Refused;
pub use self::part::KeyPart;
pub(crate) use self::parts::{ANY_NEED, Typed, Untyped};
use self::parts::{More, Ttl, Unless, longest_life};
pub use self::segment::Segment;
pub use self::tag::{AsTag, Tag, TagText};
pub(crate) use self::tag::{EPOCH, TAG_PREFIX};

use crate::codec::{Codec, Schema};
use crate::policy::{self, Callsite, SharedEntries};
use crate::support::span::capped;

/// A typed key: the name of one entry, the type of its value, and the policy of the function that
/// it belongs to.
///
/// `#[cached]` generates a function that makes it next to every cached function:
/// `get_user_key(&id)` is the `Key<User>` of `get_user(&db, id)`. All operations on an entry by
/// hand take a key, so a wrong value type does not compile:
///
/// ```
/// # use cache_runtime::{cached, Cache};
/// #[cached(key = "square:<n>", ttl = 60)]
/// async fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cache_runtime::Error> {
/// # let cache = Cache::in_memory();
/// # cache.scope(async {
/// assert_eq!(square(4).await, 16);
/// assert_eq!(cache.get(&square_key(&4)).await?, Some(16));
/// cache.invalidate(&square_key(&4)).await?;
/// assert_eq!(cache.get(&square_key(&4)).await?, None);
/// # Ok(()) }).await }
/// ```
///
/// The text of a key does not contain the cache's namespace, which is added where the key is used.
pub struct Key<T> {
    text: String,
    /// Whose policy and whose statistics.
    callsite: &'static Callsite,
    /// Whose entry it is: decides codec and version where `callsite` does not.
    owner: &'static Callsite,
    ttl: Ttl<T>,
    unless: Unless<T>,
    /// The tags that a value tells.
    told: Option<fn(&T) -> Vec<Tag>>,
    /// The entry that a value stands in, if this key is an alias of that.
    entity: Option<EntityOf<T>>,
    /// Boxed, because every call's future holds it and most keys have nothing of it.
    more: Option<Box<More>>,
    /// A key neither holds nor drops a value.
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// Starts building a key by hand, for entries that several functions share or that belong to no
    /// function. The key is of the type that its place asks for; where nothing does, as for a key
    /// that is only invalidated, write `Key::<String>::builder()`:
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, Key};
    /// fn user_key(id: i64) -> Key<String> {
    ///     Key::builder().text("user:").part(&id).done().ttl(Duration::from_secs(3600))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cache_runtime::Error> {
    /// # let cache = Cache::in_memory();
    /// assert_eq!(user_key(7).as_str(), "user:7");
    /// cache.invalidate(&Key::<String>::builder().text("user:").part(&7).done()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// Such a key has no time to live unless it is [given](Self::ttl) one, and there is no default.
    /// None is needed to read and to invalidate the entry, nor where a function shares it
    /// (`#[cached(key = user_key(id), ttl = 60)]`), which stores with its own. Whatever else stores
    /// a value needs one: [`Cache::put`](crate::Cache::put) returns an error without it;
    /// [`Cache::get_or_load`](crate::Cache::get_or_load) and [`#[write_through(key =
    /// ..)]`](macro@crate::write_through) store nothing and say so in the log.
    pub fn builder() -> KeyText<T> {
        KeyText::new(&policy::BY_HAND)
    }

    fn new(text: String, callsite: &'static Callsite, unhashable: Option<Unhashable>) -> Self {
        let (ttl, unless) = (Ttl::Policy, Unless::Never);
        let more = unhashable.map(|_| Box::new(More { unhashable, ..More::default() }));
        let (told, entity, value) = (None, None, PhantomData);
        Self { text, callsite, owner: callsite, ttl, unless, told, entity, more, value }
    }

    /// The text of the key, without the namespace.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same key with another time to live. More than thirty years count as thirty years; less
    /// than a millisecond means that nothing is stored.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl: Ttl::Fixed(capped(ttl)), ..self }
    }

    /// The same key with a time to live that depends on the value.
    #[must_use]
    pub fn ttl_of(self, ttl: fn(&T) -> Duration) -> Self {
        Self { ttl: Ttl::Of(ttl), ..self }
    }

    /// The same entry, but values for which this is true are not stored, neither by loads nor by
    /// writes.
    #[must_use]
    pub fn unless(self, unless: fn(&T) -> bool) -> Self {
        Self { unless: Unless::Of(unless), ..self }
    }

    /// The same entry, for which only a call of the function can decide what is not to be stored.
    #[doc(hidden)]
    #[must_use]
    pub fn unless_in_call(self) -> Self {
        Self { unless: Unless::InCall, ..self }
    }

    /// The same entry under the policy of another function, whose time to live wins if it has one.
    pub(crate) fn at(self, callsite: &'static Callsite) -> Self {
        callsite.share(|| SharedEntries { owner: self.owner, tags: self.tags().len() });
        let ttl = if callsite.policy().ttl.is_some() { Ttl::Policy } else { self.ttl };
        Self { callsite, ttl, unless: Unless::Never, ..self }
    }

    /// What depends on the type of its value.
    pub(crate) fn typed(&self) -> Typed<T> {
        Typed { ttl: self.ttl, unless: self.unless, told: self.told, entity: self.entity }
    }

    /// What does not.
    pub(crate) fn into_untyped(self) -> Untyped {
        // Nobody asks where there are no tags, as in nearly every call.
        let has_tags = !self.tags().is_empty() || self.tells_tags();
        let need = if has_tags { self.longest_life() } else { Duration::ZERO };
        let Self { text, callsite, owner, more, .. } = self;
        Untyped { text, callsite, owner, more, need }
    }

    pub(crate) fn callsite(&self) -> &'static Callsite {
        self.callsite
    }

    /// The function whose entry it is.
    pub(crate) fn owner(&self) -> &'static Callsite {
        self.owner
    }

    /// How the entry's bytes are to be read and written.
    pub(crate) fn schema(&self, default: Codec) -> Schema {
        Schema::of(self.callsite, self.owner, default)
    }

    /// Whether it was made by hand, and is used outside of functions.
    pub(crate) fn is_by_hand(&self) -> bool {
        std::ptr::eq(self.callsite, &raw const policy::BY_HAND)
    }

    /// Whether anything says how long its values may be served: not so if it was made by hand
    /// without.
    pub(crate) fn has_ttl(&self) -> bool {
        !matches!(self.ttl, Ttl::Policy) || self.callsite.policy().ttl.is_some()
    }

    /// Whether only a call of the function can tell which values are not to be stored.
    pub(crate) fn is_decided_in_call(&self) -> bool {
        matches!(self.unless, Unless::InCall)
    }

    /// How long `value` may be served; `None` if [nothing says so](Self::has_ttl).
    pub(crate) fn ttl_for(&self, value: &T) -> Option<Duration> {
        self.typed().ttl(value).or(self.callsite.policy().ttl)
    }

    /// How long a value is kept after that.
    pub(crate) fn stale_for(&self, is_absent: bool) -> Duration {
        self.callsite.stale_for(is_absent)
    }

    /// Why there is no such entry, if a value in the key or in one of its tags has no hash.
    pub(crate) fn unhashable(&self) -> Option<Unhashable> {
        More::unhashable(self.more.as_deref())
    }

    /// How long the stamps of the entry's tags are needed.
    pub(crate) fn longest_life(&self) -> Duration {
        let ttl = match self.ttl {
            Ttl::Policy => Some(self.callsite.policy().ttl.unwrap_or_default()),
            Ttl::Fixed(ttl) => Some(ttl),
            Ttl::Of(_) => None,
        };
        longest_life(self.callsite, ttl)
    }

    /// The text, if it names an entry.
    pub(crate) fn into_text(self) -> Result<String, Unhashable> {
        self.unhashable().map_or(Ok(self.text), Err)
    }
}

impl Key<()> {
    /// The key with this text, as [`as_str`](Self::as_str) shows it, for tools that get a key as
    /// text and know nothing of its function: it can be [explained](crate::Cache::explain) and
    /// invalidated.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Key};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cache_runtime::Error> {
    /// # let cache = Cache::in_memory();
    /// let given = std::env::args().nth(1).unwrap_or("user:7".to_owned());
    /// cache.invalidate(&Key::from_text(given)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// Nothing is escaped: whoever writes the text chooses the entry, be it one with the `:` of
    /// somebody else's input in it. Code that knows the values [builds](Key::builder) the key.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self::new(text.into(), &policy::BY_HAND, None)
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), more: self.more.clone(), ..*self }
    }
}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Eq for Key<T> {}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.text).finish()
    }
}

impl<T> fmt::Display for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
