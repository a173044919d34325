//! A single look into the store, and what its reply means to the caller.

use bytes::Bytes;

use super::attempt::guarded;
use super::lookup::Lookup;
use crate::record::{self, Found, Value};
use crate::stats::Event;
use crate::store::{Name, Store, StoreResult};
use crate::tags::Standing;

/// What a reply of the store means to the caller.
pub(super) enum Seen<R> {
    /// A value that decodes, with its record.
    Value(R, Value),
    None(Lack),
}

/// Why there is no value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// There is nothing, or nothing that may stay.
    Miss,
    /// A fence, somebody else's data, or no answer: the store is useless for this call.
    Obstacle,
}

impl<R, T> Lookup<'_, R, T> {
    /// Reads the entry together with the stamps of its tags.
    pub(super) async fn look(&mut self, store: &Store, name: Name<'_>) -> Seen<R> {
        let (reply, stamps) = self.tags.read_with(store, name, self.budget.deadline()).await;
        self.judge(name, reply, stamps)
    }

    /// Reads the entry with the stamps of its tags, and the time by the clock of the store. One round trip.
    pub(super) async fn look_dated(&mut self, store: &Store, name: Name<'_>) -> (Seen<R>, u64) {
        let (tags, by) = (self.tags, self.budget.deadline());
        let read = async {
            if tags.is_empty() {
                (store.get(name, by).await, Ok(Standing::none()))
            } else {
                tags.read_with(store, name, by).await
            }
        };
        let ((reply, stamps), now_ms) = tokio::join!(read, store.now_ms(name, by));
        match now_ms {
            Ok(now_ms) => (self.judge(name, reply, stamps), now_ms),
            Err(error) => (self.examine(name, Err(error), &Standing::Missing), 0),
        }
    }

    /// Interprets replies that were read together.
    pub(super) fn judge(
        &mut self,
        name: Name<'_>,
        reply: StoreResult<Option<Bytes>>,
        stamps: StoreResult<Standing>,
    ) -> Seen<R> {
        match stamps {
            Ok(Standing::Fenced) => Seen::None(Lack::Obstacle),
            Ok(stamps) => self.examine(name, reply, &stamps),
            Err(error) => self.examine(name, Err(error), &Standing::Missing),
        }
    }

    /// Interprets a reply. Remembers a value that is useless, such as one stored under other stamps.
    pub(super) fn examine(
        &mut self,
        name: Name<'_>,
        reply: StoreResult<Option<Bytes>>,
        stamps: &Standing,
    ) -> Seen<R> {
        let record = match reply {
            Ok(Some(record)) => record,
            Ok(None) => return Seen::None(Lack::Miss),
            Err(error) => {
                self.count(Event::of(&error));
                return Seen::None(Lack::Obstacle);
            }
        };
        match record::read(record, name.hash) {
            Found::Value(value) => {
                if stamps.are_those_of(&value)
                    && let Some(result) = self.decode(&value)
                {
                    return Seen::Value(result, value);
                }
                self.reject = Some(value.token());
                Seen::None(Lack::Miss)
            }
            Found::Lease | Found::Damaged => Seen::None(Lack::Miss),
            Found::Fence => Seen::None(Lack::Obstacle),
            Found::Foreign => {
                self.count(Event::Foreign);
                Seen::None(Lack::Obstacle)
            }
            // A copy of another key's record: the store has verified that no replies were mixed up.
            Found::Misplaced(token) => {
                self.count(Event::Misplaced);
                self.reject = Some(token);
                Seen::None(Lack::Miss)
            }
        }
    }

    /// Decodes a value of this function's codec and version.
    pub(super) fn decode(&self, value: &Value) -> Option<R> {
        let fits = value.codec() == self.schema.codec.id()
            && value.version() == self.schema.version
            && value.payload().len() <= self.cache.settings().max_value_bytes;
        if value.is_error() {
            return fits.then(|| guarded(|| self.recall(value)).flatten()).flatten();
        }
        let decode = || self.returns.decode(value.payload(), self.schema).ok();
        let decoded = fits.then(|| guarded(decode).flatten()).flatten();
        if decoded.is_none() {
            self.count(Event::Undecodable);
        }
        decoded
    }

    /// A remembered error, if this function and this process can restore it.
    fn recall(&self, value: &Value) -> Option<R> {
        match (self.returns.errors?)().wire {
            Some(wire) => (wire.decode)(value.payload(), self.schema.codec).ok(),
            None => (self.returns.sharing.unshare)(&self.cache.errors().get(value.token())?),
        }
    }
}
