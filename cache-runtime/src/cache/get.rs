//! Reading an entry by hand.

use serde::de::DeserializeOwned;

use crate::cache::Cache;
use crate::error::Error;
use crate::key::Key;
use crate::read::{Missing, ReadCall, Reply};
use crate::store::Get;

impl Cache {
    /// Reads the value of an entry, as a call of its function would find it, and never runs a body.
    /// `None` where such a call would run its body:
    ///
    /// - There is no value, or its time to live is over.
    /// - There is none of the codec, version and tags of the key, or it is larger than
    ///   [`max_value_bytes`](crate::CacheBuilder::max_value_bytes).
    /// - Somebody is writing the entry or one of its tags, be it this task inside an
    ///   [`after_commit`](Self::after_commit).
    /// - An invalidation of it has not been delivered yet: the server still has the value, and this
    ///   process knows that it is outdated.
    ///
    /// # Errors
    ///
    /// If the store does not answer, or if a value in the key has no
    /// [hash](crate::key::KeyText::hash), where an annotated function would run its body.
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
        let mut call = ReadCall::by_hand(&self.core, key);
        // At most once into the key beside, and once more into each, as the value may name tags
        // that were not asked for.
        for _ in 0..3 {
            match self.look_by_hand(&call, key).await {
                Err(Missing::Elsewhere) => call = call.beside(),
                Err(Missing::OtherTags(texts)) => call.learn_tags(texts),
                result => return result.or_else(|missing| self.nothing_or_error(missing)),
            }
        }
        Ok(None)
    }

    /// Looks into one key.
    async fn look_by_hand<T: DeserializeOwned>(
        &self,
        call: &ReadCall,
        key: &Key<T>,
    ) -> Result<Option<T>, Missing> {
        let Some(store) = self.core.store() else {
            return Ok(None);
        };
        if call.is_being_written() || call.is_outdated() {
            return Ok(None);
        }
        let (name, by) = (call.name(), self.core.budget().deadline());
        let reply = if call.is_alias() {
            call.ask_both(store, by).await
        } else if call.tags.is_empty() {
            Reply::of_entry(store.send(name, Get, by).await)
        } else {
            Reply::tagged(call.tags.read_with(store, name, by).await)
        };
        let value = call.interpret(reply)?;
        let result = call.decode(&value, |value| {
            let codec = call.codec_of(value).filter(|_| !value.is_error())?;
            let result = codec.decode(value.payload()).ok()?;
            let is_own = !call.is_alias() || call.accepts(value, key.typed().entity(&result));
            is_own.then_some(result)
        })?;
        let is_fresh = !value.is_kept()
            || call.is_fresh(&value, self.core.budget()).await.map_err(Missing::Unanswered)?;
        Ok(is_fresh.then_some(result))
    }

    /// No value, or the error of a store that did not answer.
    fn nothing_or_error<T>(&self, missing: Missing) -> Result<Option<T>, Error> {
        match missing {
            Missing::Unanswered(error) => Err(self.core.explained(error)),
            Missing::Nothing(..)
            | Missing::Blocked(..)
            | Missing::Elsewhere
            | Missing::OtherTags(_) => Ok(None),
        }
    }
}
