//! Storing a value by hand.

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::Cache;
use crate::codec::fidelity::{self, Difference, Exactness};
use crate::codec::{Codec, CodecError};
use crate::engine::entry::{Content, Head, Unfit};
use crate::engine::journal::Invalidation;
use crate::engine::tags::{Standing, Tags, of_value};
use crate::engine::{Core, SentInvalidation};
use crate::error::{Error, ErrorKind};
use crate::key::Key;
use crate::read::is_being_written;
use crate::record::token::Token;
use crate::store::{Begin, End, Fill, Name, StoreError};
use crate::support::span::SHORTEST;

/// A value that is stored by hand.
struct ByHand<'a, T>(&'a T);

impl<T: Serialize + DeserializeOwned> Content for ByHand<'_, T> {
    fn encode(&self, codec: Codec, out: &mut Vec<u8>) -> Result<Exactness, CodecError> {
        fidelity::encode(self.0, codec, out)
    }

    fn compare(&self, codec: Codec, payload: &[u8]) -> Result<(), Difference> {
        fidelity::compare(self.0, codec, payload, None)
    }
}

impl Cache {
    /// Stores a value, with the time to live of the key or of its function. The entry is emptied
    /// instead, and the next reader loads, if somebody else is writing the entry or one of its
    /// tags, if this task is (inside an [`after_commit`](Self::after_commit)), or if an
    /// invalidation of them has not been delivered yet.
    ///
    /// A value that was read from the database earlier may be outdated by the time it is stored.
    /// Where a write knows the new value, `#[write_through]` on that write is the safe choice;
    /// where a read has found nothing, it is [`get_or_load`](Self::get_or_load).
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. If there was no answer, the value may have been
    /// stored for a moment, and the entry is emptied in the background.
    ///
    /// [`ErrorKind::Config`] if the key was made by hand and has no [time to live](Key::ttl).
    /// [`ErrorKind::Codec`] if the value cannot be encoded, or if a value in the key has no
    /// [hash](crate::key::KeyText::hash). [`ErrorKind::Altered`] if the value would come back as
    /// another one, as far as serde shows it: its type's `PartialEq` is not asked.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, nothing has happened yet, or the entry is emptied in the
    /// background. Nobody reads an older value than before.
    pub async fn put<T>(&self, key: &Key<T>, value: &T) -> Result<(), Error>
    where
        T: Serialize + DeserializeOwned,
    {
        self.core.announce();
        let Some(store) = self.core.store() else {
            return Ok(());
        };
        self.check(key)?;
        let unfit = |unfit: Unfit| {
            unfit.tell(&self.core, key.callsite());
            Error::from(&unfit)
        };
        if key.is_alias() {
            return Err(unfit(Unfit::Alias));
        }
        let ttl = key.ttl_for(value).ok_or_else(|| Error::from(&Unfit::WithoutTtl))?;
        let text = self.core.full_text(key.as_str());
        let (name, writer) = (Name::new(&text), Token::random());
        let mut tags = Tags::of(&self.core, key);
        if tags.are_told() {
            tags.set_of_value(of_value::told(&self.core, key.typed().told(value)).map_err(unfit)?);
        }
        // The value may have been read before a write that is under way, or whose invalidation is
        // still in the journal.
        if is_being_written(&self.core, &text, &tags) || tags.are_outdated(&self.core, &text) {
            return self.core.remove(&[text.into_owned()], Duration::ZERO).await;
        }
        // Before the fence: what invalidates a tag from now on makes the value a miss.
        let captured = tags.capture(store, self.core.budget().deadline()).await;
        let captured = captured.map_err(|error| self.core.explained(error))?;
        let Standing::Stamps(stamps) = captured else {
            return self.core.remove(&[text.into_owned()], Duration::ZERO).await;
        };
        let (told, took) = (tags.of_value(), Duration::ZERO);
        let head = Head { name: name.hash, token: writer, stamps: &stamps, told, took };
        let schema = key.schema(self.core.settings().codec);
        let record = head.record(&self.core, key.callsite(), schema, &ByHand(value));
        let record = record.map_err(unfit)?;
        if ttl < SHORTEST {
            return self.core.remove(&[text.into_owned()], Duration::ZERO).await;
        }
        let by = self.core.budget().deadline();
        self.core.flights().forget(&[name]);
        let begun = Begun { cache: &self.core, text: &text, writer, open: true };
        let fence = self.core.settings().fence;
        match store.send(name, Begin { writer, fence }, by).await {
            Ok(true) => {}
            Ok(false) => {
                begun.ended();
                let message = "the key holds data that is not the cache's, or the store is full";
                return Err(Error::new(ErrorKind::Refused, message));
            }
            Err(error) => {
                if error.is_unsent() || matches!(error, StoreError::Refused(_)) {
                    begun.ended();
                }
                return Err(self.core.explained(error));
            }
        }
        let value = Some(Fill::new(record, ttl, key.stale_for(false)));
        let ended = store.send(name, End { writer, hold_off: Duration::ZERO, value }, by).await;
        ended.map_err(|error| self.core.explained(error))?;
        begun.ended();
        Ok(())
    }
}

/// A put whose fence may stand. Dropped before it is known not to, because its future was dropped
/// or an answer did not come, it is ended in the background: the fence is lifted, and whatever the
/// entry holds is removed.
struct Begun<'a> {
    cache: &'a Core,
    text: &'a str,
    writer: Token,
    open: bool,
}

impl Begun<'_> {
    /// No fence of this put stands.
    fn ended(mut self) {
        self.open = false;
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if self.open {
            let (cache, text) = (self.cache.clone(), self.text.to_owned());
            let ending = Ending { cache, text, writer: self.writer, ended: false };
            self.cache.background().run(ending.run());
        }
    }
}

/// The end of a put in the background. If the runtime ends first, the journal takes over.
struct Ending {
    cache: Core,
    text: String,
    writer: Token,
    ended: bool,
}

impl Ending {
    /// The command that was to store the value may be executed before this one, or after it.
    /// Before: this one removes the value. After: it finds no fence of its writer, and stores
    /// nothing.
    async fn run(mut self) {
        if let Some(store) = self.cache.store() {
            let name = Name::new(&self.text);
            let (hold_off, by) = (Duration::ZERO, self.cache.budget().deadline());
            let end = End { writer: self.writer, hold_off, value: None };
            let sent = SentInvalidation::of_keys(1, Instant::now());
            let reply = sent.around(pin!(store.send(name, end, by))).await;
            _ = self.cache.settle(std::slice::from_ref(&self.text), vec![reply], hold_off, &sent);
        }
        self.ended = true;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.ended {
            let entry = Invalidation::Key(std::mem::take(&mut self.text));
            self.cache.journal().add([entry], Duration::ZERO);
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::allow_attributes,
    reason = "lints look into expansions in the crate that the macros are from"
)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::{self as cache_runtime, cached, write_through};

    #[cached(key = "row:<id>", ttl = 60, tags = ["rows"], crate = cache_runtime)]
    async fn row(id: u64) -> u64 {
        id
    }

    #[write_through(row(id), crate = cache_runtime)]
    async fn write(id: u64) -> u64 {
        id
    }

    /// What the entry holds; a read by hand would ask the journal.
    fn kind(cache: &Cache) -> Option<char> {
        let store = cache.core().store().and_then(Store::here).expect("an embedded store");
        store.kind(Name::new("row:1"))
    }

    /// The delivery of the journal has a task of its own, and does not run before this one waits.
    #[tokio::test]
    async fn nothing_is_stored_where_an_invalidation_is_on_its_way() {
        let cache = Cache::in_memory();
        for undelivered in ["row:1", "~tag:rows"] {
            let journal = || {
                cache
                    .core()
                    .journal()
                    .add([Invalidation::Key(undelivered.to_owned())], Duration::ZERO);
            };
            cache.put(&row_key(&1), &1).await.unwrap();
            assert_eq!(kind(&cache), Some('V'));
            journal();
            cache.put(&row_key(&1), &1).await.unwrap();
            assert_eq!((cache.core().journal().depth(), kind(&cache)), (1, None), "by hand");
            cache.flush(Duration::from_secs(60)).await.unwrap();

            cache.scope(write(1)).await;
            assert_eq!(kind(&cache), Some('V'));
            journal();
            cache.scope(write(1)).await;
            assert_eq!((cache.core().journal().depth(), kind(&cache)), (1, None), "by a write");
            cache.flush(Duration::from_secs(60)).await.unwrap();
        }
    }
}
