//! Reading an entry by hand.

use serde::de::DeserializeOwned;

use crate::cache::Cache;
use crate::codec::Schema;
use crate::engine::tags::{Standing, Tags};
use crate::error::Error;
use crate::key::Key;
use crate::metrics::Event;
use crate::policy;
use crate::read::{self, Interpreted, Reader, is_being_written};
use crate::record::Value;
use crate::store::{Get, Name};

/// What one key holds.
enum Glance<T> {
    Found(T),
    Nothing,
    /// A value of another release.
    Elsewhere,
}

impl Cache {
    /// Reads the value of an entry, as a call of its function would find it, and never runs a body. `None` where such a
    /// call would run its body:
    ///
    /// - There is no value, or its time to live is over.
    /// - There is none of the codec, version and tags of the key, or it is larger than
    ///   [`max_value_bytes`](crate::CacheBuilder::max_value_bytes).
    /// - Somebody is writing the entry or one of its tags, be it this task inside an
    ///   [`after_commit`](Self::after_commit).
    /// - An invalidation of it has not been delivered yet: the server still has the value, and this process knows that
    ///   it is outdated.
    ///
    /// # Errors
    ///
    /// If the store does not answer, or if a value in the key has no [hash](crate::key::KeyText::hash), where an annotated
    /// function would run its body.
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key<T>) -> Result<Option<T>, Error> {
        self.core.announce();
        if self.core.store().is_none() {
            return Ok(None);
        }
        self.check(key)?;
        let (text, tags) = (self.core.full_text(key.as_str()), Tags::of(&self.core, key));
        let schema = key.schema(self.core.settings().codec);
        match self.look_by_hand(&text, &tags, schema).await? {
            Glance::Found(value) => Ok(Some(value)),
            Glance::Nothing => Ok(None),
            Glance::Elsewhere => {
                let (text, tags) = read::beside(&text, schema, &tags);
                let glance = self.look_by_hand(&text, &tags, schema).await?;
                Ok(if let Glance::Found(value) = glance { Some(value) } else { None })
            }
        }
    }

    /// Looks into one key.
    async fn look_by_hand<T: DeserializeOwned>(
        &self,
        text: &str,
        tags: &Tags,
        schema: Schema,
    ) -> Result<Glance<T>, Error> {
        let Some(store) = self.core.store() else {
            return Ok(Glance::Nothing);
        };
        if is_being_written(&self.core, text, tags) {
            self.core.recorder().count(&policy::BY_HAND, Event::Bypass);
            return Ok(Glance::Nothing);
        }
        if tags.are_outdated(&self.core, text) {
            self.core.recorder().count(&policy::BY_HAND, Event::Outdated);
            return Ok(Glance::Nothing);
        }
        let name = Name::new(text);
        let by = self.core.budget().deadline();
        let (record, stamps) = if tags.is_empty() {
            (
                store.send(name, Get, by).await.map_err(|error| self.core.explained(error))?,
                Standing::none(),
            )
        } else {
            let (record, stamps) = tags.read_with(store, name, by).await;
            let explained = |error| self.core.explained(error);
            (record.map_err(explained)?, stamps.map_err(explained)?)
        };
        let Some(record) = record else {
            return Ok(Glance::Nothing);
        };
        let reader = Reader { cache: &self.core, callsite: &policy::BY_HAND, schema };
        let value = match reader.interpret(name, record, &stamps) {
            Interpreted::Value(value) if !reader.is_of_another_release(&value, tags) => value,
            Interpreted::Value(value) | Interpreted::Outdated(value)
                if reader.is_of_another_release(&value, tags) =>
            {
                return Ok(Glance::Elsewhere);
            }
            _ => return Ok(Glance::Nothing),
        };
        let decode = |value: &Value| {
            let decode = || schema.codec.decode(value.payload()).ok();
            (!value.is_error()).then(decode).flatten()
        };
        let Some(result) = reader.decode(&value, decode) else {
            return Ok(Glance::Nothing);
        };
        let is_fresh = !value.is_kept()
            || read::is_fresh(&self.core, name, &value, self.core.budget())
                .await
                .map_err(|error| self.core.explained(error))?;
        Ok(if is_fresh { Glance::Found(result) } else { Glance::Nothing })
    }
}
