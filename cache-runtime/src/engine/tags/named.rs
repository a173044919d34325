//! The tags of an entry that is known by what an [index](crate::read::alias) says of it.

use std::time::Duration;

use crate::engine::tags::{List, Tags};

impl Tags {
    /// The tags with these keys. `of_value` are those that the value tells, as far as they are
    /// known.
    pub(crate) fn named(
        of_key: Vec<String>,
        of_value: Option<Vec<String>>,
        need: Duration,
    ) -> Self {
        if of_key.is_empty() && of_value.is_none() {
            return Self { list: None };
        }
        Self { list: Some(Box::new(List { of_key, of_value, main: None, need })) }
    }

    /// The keys of the tags that the key tells.
    pub(crate) fn of_key(&self) -> &[String] {
        self.list.as_deref().map_or(&[], |list| &list.of_key)
    }

    /// These, those of an entity, and the key of the entity as one more: whatever has changed one
    /// of them has outdated what was loaded under them.
    pub(crate) fn with_entity(&self, entity: &Self, key: &str) -> Self {
        let of_key = self.texts().chain(entity.texts()).map(str::to_owned).collect();
        let (main, need) = (Some(key.to_owned()), Duration::ZERO);
        Self { list: Some(Box::new(List { of_key, of_value: None, main, need })) }
    }
}
