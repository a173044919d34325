//! Operations on entries by hand.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Cache, Keys};
use crate::budget::Budget;
use crate::callsite;
use crate::codec::Schema;
use crate::entry::{Head, Unfit};
use crate::error::{Error, ErrorKind};
use crate::journal::{Entry, Journal};
use crate::key::{Key, Tag};
use crate::record::{self, Found, Value};
use crate::stats::Event;
use crate::store::{Fill, Name, Store, StoreResult};
use crate::tags::{Standing, Tags};
use crate::token::Token;
use crate::write::PATTERN_LIMIT;

impl Cache {
    /// Reads the value of an entry: `None` if there is none, if it has another codec or version, if it is behind a
    /// fence, or if its time to live is over. Never runs a body.
    ///
    /// # Errors
    ///
    /// If the store does not answer, where an annotated function would run its body.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key<T>) -> Result<Option<T>, Error> {
        let Some(store) = self.store() else {
            return Ok(None);
        };
        let text = self.full_text(key.as_str());
        let name = Name::new(&text);
        let schema = key.schema(self.settings().codec);
        let tags = Tags::of(self, key);
        let by = self.budget().deadline();
        let (record, stamps) = if tags.is_empty() {
            (store.get(name, by).await?, Standing::none())
        } else {
            let (record, stamps) = tags.read_with(store, name, by).await;
            (record?, stamps?)
        };
        let Some(record) = record else {
            return Ok(None);
        };
        let Found::Value(value) = record::read(record, name.hash) else {
            return Ok(None);
        };
        let fits = !value.is_error()
            && stamps.are_those_of(&value)
            && value.codec() == schema.codec.id()
            && value.version() == schema.version;
        if !fits || (value.is_kept() && !self.is_fresh(name, &value, self.budget()).await?) {
            return Ok(None);
        }
        Ok(schema.codec.decode(value.payload()).ok())
    }

    /// Stores a value, with the time to live of the key's function. If somebody else is writing the same entry, or
    /// one of its tags, the entry is emptied instead, and the next reader loads.
    ///
    /// A value that was read from the database earlier may be outdated by the time it is stored. Where a write knows
    /// the new value, `#[write_through]` on that write is the safe choice.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses, or if the value cannot be encoded.
    pub async fn put<T: Serialize>(&self, key: &Key<T>, value: &T) -> Result<(), Error> {
        let Some(store) = self.store() else {
            return Ok(());
        };
        let text = self.full_text(key.as_str());
        let (name, writer) = (Name::new(&text), Token::random());
        // Before the fence: what invalidates a tag from now on makes the value a miss.
        let captured = Tags::of(self, key).capture(store, self.budget().deadline()).await?;
        let Standing::Stamps(stamps) = captured else {
            return self.remove(&[text.into_owned()], Duration::ZERO).await;
        };
        let head = Head { name: name.hash, token: writer, stamps: &stamps, took: Duration::ZERO };
        let encode = |schema: Schema, out: &mut _| schema.codec.encode(value, out);
        let record = head.try_record(self, key, encode).map_err(|unfit| {
            let message = match unfit {
                Unfit::Unencodable => "the value could not be encoded",
                Unfit::Oversized => "the encoded value is larger than `max_value_bytes`",
            };
            Error::new(ErrorKind::Codec, message)
        })?;
        let ttl = key.ttl_for(value);
        let by = self.budget().deadline();
        self.flights().forget(&[name]);
        for fenced in store.begin(&[name], writer, self.settings().fence, by).await {
            if !fenced? {
                let message = "the key holds data that is not the cache's, or the store is full";
                return Err(Error::new(ErrorKind::Refused, message));
            }
        }
        let fill = Fill::new(record, ttl, key.stale_for(false));
        store.end_with(name, writer, fill, by).await?;
        Ok(())
    }

    /// Removes entries, and keeps loads that are already running from filling them. Takes one round trip for any
    /// number of keys.
    ///
    /// # Errors
    ///
    /// If it is not acknowledged for every key. It may have been done nevertheless. What was not acknowledged is sent
    /// again until it is, and meanwhile this process bypasses the cache for those keys.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the invalidation may or may not have been done, and is not sent again.
    pub async fn invalidate(&self, keys: impl Keys) -> Result<(), Error> {
        let mut texts = Vec::new();
        keys.visit(&mut |key| texts.push(self.full_text(key).into_owned()));
        self.remove(&texts, Duration::ZERO).await
    }

    /// Invalidates every entry with a tag, however many there are: one round trip, and one key removed. The entries
    /// stay in the store, as misses, until they are loaded again or expire.
    ///
    /// To invalidate several tags, or tags and keys together, pass them to [`invalidate`](Self::invalidate):
    /// `cache.invalidate((&user_key(&7), &org))`.
    ///
    /// # Errors
    ///
    /// As for [`invalidate`](Self::invalidate). What was not acknowledged is sent again, and meanwhile this process
    /// bypasses the cache for every entry with the tag.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the invalidation may or may not have been done, and is not sent again.
    pub async fn invalidate_tag(&self, tag: impl Into<Tag>) -> Result<(), Error> {
        self.invalidate(tag.into()).await
    }

    /// Removes all entries of this namespace whose key matches a Redis glob, such as `user:7:*`, and returns how many
    /// there were. A glob that begins with `*` matches tags as well, and so invalidates every entry that has one of
    /// those tags. The time this takes is proportional to the number of all keys on the server, so keep it off hot
    /// paths.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. The invalidation is sent again, as with
    /// [`invalidate`](Self::invalidate).
    pub async fn invalidate_matching(&self, pattern: &str) -> Result<u64, Error> {
        self.remove_matching(&self.full_text(pattern), Duration::ZERO).await
    }

    /// Waits until every invalidation has been delivered, for at most `limit`. Call it before the program ends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Undelivered`], with their number, if some are left.
    pub async fn flush(&self, limit: Duration) -> Result<(), Error> {
        Journal::deliver(self);
        if tokio::time::timeout(limit, self.journal().drained()).await.is_ok() {
            return Ok(());
        }
        let left = self.journal().depth();
        let message = format!("{left} invalidations have not been delivered to the cache's store");
        Err(Error::new(ErrorKind::Undelivered, message))
    }

    /// Removes all entries and tags of this namespace, and returns how many there were.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the cache uses a server and has no namespace: this would remove everybody's data.
    /// Otherwise as for [`invalidate_matching`](Self::invalidate_matching).
    pub async fn clear(&self) -> Result<u64, Error> {
        if self.settings().namespace.is_empty() && matches!(self.store(), Some(Store::Redis(_))) {
            let message =
                "`clear` needs a namespace: set one with `Cache::builder().namespace(\"...\")`";
            return Err(Error::new(ErrorKind::Config, message));
        }
        self.remove_matching(&self.everything(), Duration::ZERO).await
    }

    /// Whether a value is still within its time to live, for an entry that is kept longer than that.
    pub(crate) async fn is_fresh(
        &self,
        name: Name<'_>,
        value: &Value,
        budget: Budget,
    ) -> StoreResult<bool> {
        let Some(store) = self.store() else {
            return Ok(false);
        };
        let by = budget.deadline();
        let (record, now_ms) = tokio::join!(store.get(name, by), store.now_ms(name, by));
        let stands = record?.and_then(|record| record::token(&record)) == Some(value.token());
        Ok(stands && now_ms? < value.fresh_until_ms())
    }

    /// Invalidates entries by their full keys; what is not acknowledged goes into the journal.
    pub(crate) async fn remove(&self, texts: &[String], hold_off: Duration) -> Result<(), Error> {
        let Some(store) = self.store() else {
            return Ok(());
        };
        let names: Vec<_> = texts.iter().map(|text| Name::new(text)).collect();
        self.flights().forget(&names);
        let replies = store.invalidate(&names, hold_off, self.budget().deadline()).await;
        self.settle(texts, replies, hold_off)
    }

    /// Invalidates entries by a full glob, which goes into the journal if that is not acknowledged.
    pub(crate) async fn remove_matching(
        &self,
        pattern: &str,
        hold_off: Duration,
    ) -> Result<u64, Error> {
        let Some(store) = self.store() else {
            return Ok(0);
        };
        self.flights().forget_all();
        let by = Budget::new(PATTERN_LIMIT).deadline();
        let reply = store.invalidate_matching(pattern, hold_off, by).await;
        self.note(&reply, Event::PatternInvalidated);
        let entry = [Entry::Pattern(pattern.to_owned())];
        match reply {
            Ok(_) => Journal::acknowledged(self, entry),
            Err(_) => Journal::add(self, entry, hold_off),
        }
        Ok(reply?)
    }

    /// Puts what was not acknowledged into the journal, and returns the first error.
    pub(crate) fn settle<T>(
        &self,
        texts: &[String],
        replies: Vec<StoreResult<T>>,
        hold_off: Duration,
    ) -> Result<(), Error> {
        #[cfg(cache_mutants)]
        let replies = crate::mutants::invalidations(replies);
        for reply in &replies {
            self.note(reply, Event::Invalidated);
        }
        let (done, failed): (Vec<_>, Vec<_>) =
            texts.iter().zip(&replies).partition(|(_, reply)| reply.is_ok());
        let entry = |(text, _): (&String, _)| Entry::Key(text.clone());
        Journal::acknowledged(self, done.into_iter().map(entry));
        Journal::add(self, failed.into_iter().map(entry), hold_off);
        replies.into_iter().try_for_each(|reply| reply.map(drop)).map_err(Error::from)
    }

    fn note<T>(&self, reply: &StoreResult<T>, done: Event) {
        let event = if reply.is_ok() { done } else { Event::Journalled };
        self.recorder().count(&callsite::BY_HAND, event);
    }
}
