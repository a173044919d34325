//! The parts of a key: what depends on the type of its value, and what does not.

use std::time::Duration;

use crate::codec::{Codec, Schema};
use crate::key::alias::EntityOf;
use crate::key::{Tag, Unhashable};
use crate::policy::Callsite;
use crate::support::span::capped;

/// What few keys have.
#[derive(Clone, Debug, Default)]
pub(super) struct More {
    pub(super) tags: Vec<Tag>,
    /// Whether its values tell further tags.
    pub(super) tells_tags: bool,
    /// Whether its values stand in other entries.
    pub(super) is_alias: bool,
    /// Why there is no such entry.
    pub(super) unhashable: Option<Unhashable>,
}

/// How long the stamps of tags are needed for at least, so that those of short-lived entries are
/// not made all the time.
const LEAST_NEED: Duration = Duration::from_secs(12 * 3600);
/// And where only a value tells how long it lives.
pub(crate) const ANY_NEED: Duration = Duration::from_secs(15 * 24 * 3600);

/// Where an entry's time to live comes from.
pub(super) enum Ttl<T> {
    /// The function's attribute. A key that was made by hand has none.
    Policy,
    /// An expression of the attribute.
    Fixed(Duration),
    /// A closure of the attribute, from the value.
    Of(fn(&T) -> Duration),
}

/// What of a key does not depend on the type of its value.
#[derive(Clone, Debug)]
pub(crate) struct Untyped {
    pub(crate) text: String,
    pub(crate) callsite: &'static Callsite,
    pub(crate) owner: &'static Callsite,
    pub(super) more: Option<Box<More>>,
    /// How long the stamps of the entry's tags are needed.
    pub(super) need: Duration,
}

impl Untyped {
    pub(crate) fn schema(&self, default: Codec) -> Schema {
        Schema::of(self.callsite, self.owner, default)
    }

    pub(crate) fn tags(&self) -> &[Tag] {
        More::tags(self.more.as_deref())
    }

    pub(crate) fn tells_tags(&self) -> bool {
        More::tells_tags(self.more.as_deref())
    }

    pub(crate) fn is_alias(&self) -> bool {
        More::is_alias(self.more.as_deref())
    }

    pub(crate) fn unhashable(&self) -> Option<Unhashable> {
        More::unhashable(self.more.as_deref())
    }

    pub(crate) fn longest_life(&self) -> Duration {
        self.need
    }
}

impl More {
    pub(super) fn tags(more: Option<&Self>) -> &[Tag] {
        more.map_or(&[], |more| &more.tags)
    }

    pub(super) fn tells_tags(more: Option<&Self>) -> bool {
        // What the values of an alias tell belongs to the entity's entry.
        more.is_some_and(|more| more.tells_tags && !more.is_alias)
    }

    pub(super) fn is_alias(more: Option<&Self>) -> bool {
        more.is_some_and(|more| more.is_alias)
    }

    pub(super) fn unhashable(more: Option<&Self>) -> Option<Unhashable> {
        more.and_then(|more| more.unhashable)
    }
}

impl Schema {
    pub(super) fn of(callsite: &Callsite, owner: &Callsite, default: Codec) -> Self {
        let (here, owner) = (callsite.policy(), owner.policy());
        Self {
            codec: here.codec.or(owner.codec).unwrap_or(default),
            version: here.version.or(owner.version).unwrap_or_default(),
        }
    }
}

/// How long stamps are needed by the entries of a function: the longest that they may be kept, or
/// some more. `ttl` is what the key says, `None` where only a value can tell.
pub(super) fn longest_life(callsite: &Callsite, ttl: Option<Duration>) -> Duration {
    let policy = callsite.policy();
    let life = ttl.unwrap_or(ANY_NEED).saturating_add(policy.stale());
    life.max(policy.none_ttl.unwrap_or_default()).max(LEAST_NEED)
}

/// What of a key depends on that type: what becomes of a value.
pub(crate) struct Typed<T> {
    pub(super) ttl: Ttl<T>,
    pub(super) unless: Unless<T>,
    pub(super) told: Option<fn(&T) -> Vec<Tag>>,
    pub(super) entity: Option<EntityOf<T>>,
}

impl<T> Typed<T> {
    /// How long `value` may be served; `None` where its function says that of all values.
    pub(crate) fn ttl(&self, value: &T) -> Option<Duration> {
        match self.ttl {
            Ttl::Policy => None,
            Ttl::Fixed(ttl) => Some(ttl),
            Ttl::Of(ttl) => Some(capped(ttl(value))),
        }
    }

    /// The tags that `value` tells.
    pub(crate) fn told(&self, value: &T) -> Vec<Tag> {
        self.told.map_or_else(Vec::new, |told| told(value))
    }

    /// Whether a value that was loaded is not to be stored.
    pub(crate) fn excludes(&self, value: &T) -> bool {
        matches!(self.unless, Unless::Of(unless) if unless(value))
    }

    /// Whether a value from elsewhere is not to be stored, or nobody can tell.
    pub(crate) fn may_exclude(&self, value: &T) -> bool {
        self.excludes(value) || matches!(self.unless, Unless::InCall)
    }
}

/// Which values are not to be stored.
pub(super) enum Unless<T> {
    /// None.
    Never,
    /// Those for which this is true.
    Of(fn(&T) -> bool),
    /// Only a call of the function can tell.
    InCall,
}

impl<T> Clone for Typed<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Typed<T> {}

impl<T> Clone for Ttl<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ttl<T> {}

impl<T> Clone for Unless<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Unless<T> {}
