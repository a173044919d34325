//! A single look of a call into the store, and what its reply means to the call.

use bytes::Bytes;

use super::interpret::{Found, Reader};
use super::lookup::Lookup;
use crate::record::Value;
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
        match self.reader().interpret(name, record, stamps, |value| self.restore(value)) {
            Found::Value(result, value) => Seen::Value(result, value),
            Found::Useless(token) => {
                self.reject = Some(token);
                Seen::None(Lack::Miss)
            }
            Found::Nothing => Seen::None(Lack::Miss),
            Found::Obstacle => Seen::None(Lack::Obstacle),
        }
    }

    /// Decodes a value that another caller of this process has read or loaded.
    pub(super) fn decode(&self, value: &Value) -> Option<R> {
        self.reader().decode(value, |value| self.restore(value))
    }

    fn restore(&self, value: &Value) -> Option<R> {
        if value.is_error() {
            self.recall(value)
        } else {
            self.returns.decode(value.payload(), self.schema).ok()
        }
    }

    /// A remembered error, if this function and this process can restore it.
    fn recall(&self, value: &Value) -> Option<R> {
        if let Some(wire) = (self.returns.errors?)().wire {
            let error = value.payload().strip_prefix(&self.callsite.fingerprint())?;
            return (wire.decode)(error, self.schema.codec).ok();
        }
        let error = self.cache.errors().get(value.token(), self.callsite)?;
        (self.returns.sharing.unshare)(&error)
    }

    fn reader(&self) -> Reader<'_> {
        Reader { cache: self.cache, callsite: self.callsite, schema: self.schema }
    }
}
