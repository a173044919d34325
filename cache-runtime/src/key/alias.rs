//! Keys that are aliases: other ways to find an entity, whose value stands in an entry of its own.

use std::time::Duration;

use crate::key::parts::More;
use crate::key::{Key, Tag, Typed, Untyped};

/// Makes the key of the entry that a value stands in; `None` for a value that says that there is
/// nothing.
pub(super) type EntityOf<T> = fn(&T) -> Option<Key<T>>;

/// The entry that a value stands in, and what becomes of the value there.
#[derive(Debug)]
pub(crate) struct Entity {
    pub(crate) key: Untyped,
    /// The tags that the value tells.
    pub(crate) told: Vec<Tag>,
    /// How long it may be served; `None` where the entry's function says that of all values.
    pub(crate) ttl: Option<Duration>,
    /// Whether it is not to be stored there.
    pub(crate) is_excluded: bool,
}

impl<T> Key<T> {
    /// Makes the key an alias: its values stand in the entries that `entity` makes the keys of.
    /// `None` for a value that says that there is nothing.
    #[doc(hidden)]
    #[must_use]
    pub fn entry_of(mut self, entity: fn(&T) -> Option<Self>) -> Self {
        self.more.get_or_insert_default().is_alias = true;
        Self { entity: Some(entity), ..self }
    }

    /// Whether its values stand in other entries.
    pub(crate) fn is_alias(&self) -> bool {
        More::is_alias(self.more.as_deref())
    }
}

impl<T> Typed<T> {
    /// The entry that `value` stands in, if the key is an alias of that.
    pub(crate) fn entity(&self, value: &T) -> Option<Entity> {
        let key = (self.entity?)(value)?;
        let typed = key.typed();
        let (told, ttl, is_excluded) =
            (typed.told(value), typed.ttl(value), typed.may_exclude(value));
        Some(Entity { key: key.into_untyped(), told, ttl, is_excluded })
    }
}
