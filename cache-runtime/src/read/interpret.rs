//! What the store's reply means to a call: the one place that interprets records for annotated
//! calls, batches, waiters of a flight, and reads by hand.
//!
//! Before the store is asked, a call finds out whether it may look at all:
//! [`ReadCall::is_being_written`] and [`ReadCall::is_outdated`].

use bytes::Bytes;

use crate::codec::Codec;
use crate::engine::misuse::{self, Oddity};
use crate::engine::tags::Standing;
use crate::metrics::{MissReason, UncachedReason};
use crate::read::call::ReadCall;
use crate::record::token::Token;
use crate::record::{self, Found, Value};
use crate::store::{Get, Now, StoreError, StoreResult};
use crate::support::budget::Budget;
use crate::support::panic::guarded;

/// What the store replied about an entry, the stamps of its tags, and the clock.
pub(crate) struct Reply {
    pub(crate) record: StoreResult<Option<Bytes>>,
    pub(crate) stamps: StoreResult<Standing>,
    /// The store's time in milliseconds since the Unix epoch; 0 where it was not asked.
    pub(crate) now_ms: StoreResult<u64>,
    /// What it replied about the entry and the tags of the entity that the key is an alias of.
    pub(crate) entity: Option<(StoreResult<Option<Bytes>>, StoreResult<Standing>)>,
}

/// Why a look into the store gave no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The key holds nothing, or nothing that may stay, so the call may ask for the lease. With the
    /// token of a value that is of no use, such as one that was stored under other stamps.
    Nothing(MissReason, Option<Token>),
    /// A fence or foreign data is in the way, or the store is not to be asked: nothing can be read
    /// or stored now. With what a look has found, if there was one.
    Blocked(UncachedReason, Option<MissReason>),
    /// A value of another release, which that release can use. The value of this release is in the
    /// key [beside](crate::read::beside).
    Elsewhere,
    /// A value that names other tags than the call has read the stamps of, so it is not known
    /// whether it may be used: the stamps of these have to be read too.
    OtherTags(Vec<String>),
    /// The store did not answer.
    Unanswered(StoreError),
}

impl Missing {
    /// Somebody is writing the entry or one of its tags.
    pub(in crate::read) fn fenced(reason: MissReason) -> Self {
        Self::Blocked(UncachedReason::Fenced, Some(reason))
    }

    /// The key holds somebody else's data, which stays.
    pub(in crate::read) fn foreign() -> Self {
        Self::Blocked(UncachedReason::NotGranted, Some(MissReason::Foreign))
    }

    /// An invalidation of the entry has not been delivered yet, so the store is not asked.
    pub(in crate::read) fn outdated() -> Self {
        Self::Blocked(UncachedReason::Outdated, None)
    }
}

impl Reply {
    /// The reply about an entry without tags.
    pub(crate) fn of_entry(record: StoreResult<Option<Bytes>>) -> Self {
        Self::tagged((record, Ok(Standing::none())))
    }

    /// The reply about an entry and the stamps of its tags, which were read at once.
    pub(crate) fn tagged(
        (record, stamps): (StoreResult<Option<Bytes>>, StoreResult<Standing>),
    ) -> Self {
        Self { record, stamps, now_ms: Ok(0), entity: None }
    }

    /// The record, the stamps and the time, if there is a record and it may be read.
    pub(in crate::read) fn into_record(self) -> Result<(Bytes, Standing, u64), Missing> {
        let now_ms = self.now_ms.map_err(Missing::Unanswered)?;
        let stamps = self.stamps.map_err(Missing::Unanswered)?;
        if stamps == Standing::Fenced {
            return Err(Missing::fenced(MissReason::Tag));
        }
        let record = self.record.map_err(Missing::Unanswered)?;
        Ok((record.ok_or(Missing::Nothing(MissReason::Absent, None))?, stamps, now_ms))
    }
}

impl ReadCall {
    /// The value that a reply holds, if the call can use it: one of this key, with the present
    /// stamps, of the right schema, and not too large. Whether it decodes is not known yet. With
    /// stamps that its tags had before it is a value that is fresh no longer.
    pub(crate) fn interpret(&self, reply: Reply) -> Result<Value, Missing> {
        if self.is_alias() {
            return self.interpret_both(reply).0;
        }
        let (record, stamps, now_ms) = reply.into_record()?;
        self.interpret_record(record, &stamps, now_ms)
    }

    /// The same for a record that was read while its entry's tags had these stamps.
    pub(crate) fn interpret_record(
        &self,
        record: Bytes,
        stamps: &Standing,
        now_ms: u64,
    ) -> Result<Value, Missing> {
        let value = self.value_in(record)?;
        if self.looks_beside && self.is_of_another_release(&value) {
            return Err(Missing::Elsewhere);
        }
        if let Some(others) = self.tags.others_in(&self.cache, &value) {
            return Err(Missing::OtherTags(others));
        }
        let reason = match stamps.are_those_of(&value) {
            true if self.fits(&value) => return Ok(value),
            true => self.unreadable(&value),
            false => MissReason::Tag,
        };
        let token = value.token();
        let stale = stamps.made_stale(value, now_ms).filter(|value| self.fits(value));
        stale.ok_or(Missing::Nothing(reason, Some(token)))
    }

    /// The value that a flight has for a waiter, whose leader has compared the stamps. A leader
    /// with other tags has compared those of its own, so the value must also have the waiter's
    /// tags.
    pub(in crate::read) fn interpret_shared(&self, record: Bytes) -> Option<Value> {
        if self.is_alias()
            && let Some(key) = record::key(&record).filter(|key| *key != self.hash)
        {
            // The leader has found it in the key of the entity.
            let Found::Value(value) = record::read(record, key) else { return None };
            return Some(value);
        }
        self.value_in(record).ok().filter(|value| self.tags.are_those_of(value))
    }

    /// The value of this key in a record, with any stamps and of any schema.
    pub(in crate::read) fn value_in(&self, record: Bytes) -> Result<Value, Missing> {
        match record::read(record, self.hash) {
            Found::Value(value) => Ok(value),
            Found::Lease => Err(Missing::Nothing(MissReason::Absent, None)),
            Found::Damaged => Err(Missing::Nothing(MissReason::Undecodable, None)),
            Found::OfAnotherPrimary => Err(Missing::Nothing(MissReason::OtherPrimary, None)),
            Found::Fence => Err(Missing::fenced(MissReason::Absent)),
            Found::Foreign => Err(Missing::foreign()),
            // Another key's record was copied into this one: the store has made sure that it has
            // not mixed up two replies.
            Found::Misplaced(token) => Err(Missing::Nothing(MissReason::Misplaced, Some(token))),
        }
    }

    /// What `restore` makes of a value; nothing if that fails or panics.
    pub(crate) fn decode<R>(
        &self,
        value: &Value,
        restore: impl FnOnce(&Value) -> Option<R>,
    ) -> Result<R, Missing> {
        guarded(|| restore(value)).flatten().ok_or_else(|| self.undecoded(value))
    }

    /// A value that did not decode is nothing.
    pub(in crate::read) fn undecoded(&self, value: &Value) -> Missing {
        Missing::Nothing(self.holder(value).unreadable(value), Some(value.token()))
    }

    /// Whether a value has the codec and the version of this call, and at most as many bytes as
    /// this process accepts.
    pub(in crate::read) fn fits(&self, value: &Value) -> bool {
        self.is_of_schema(value) && value.payload().len() <= self.cache.settings().max_value_bytes
    }

    fn is_of_schema(&self, value: &Value) -> bool {
        value.codec() == self.schema.codec.id() && value.version() == self.schema.version
    }

    /// Whether another release has stored a value, and may be able to use it.
    fn is_of_another_release(&self, value: &Value) -> bool {
        !self.is_of_release(value) && Codec::has(value.codec()) && value.is_whole()
    }

    /// Whether a value was stored in the way in which this release stores it, whatever its stamps.
    pub(in crate::read) fn is_of_release(&self, value: &Value) -> bool {
        self.is_of_schema(value) && self.tags.are_those_of(value)
    }

    /// Why a value cannot be read. Says in the log if its size is the reason.
    pub(in crate::read) fn unreadable(&self, value: &Value) -> MissReason {
        let (size, most) = (value.payload().len(), self.cache.settings().max_value_bytes);
        if size > most {
            let description = format_args!(
                "its entry has {size} bytes, more than the `max_value_bytes` of this process \
                 ({most}): it was stored with another setting, counts as oversized, and is loaded \
                 again"
            );
            misuse::remark(self.callsite, Oddity::OversizedEntry, description);
            return MissReason::Oversized;
        }
        if !self.is_of_schema(value) {
            return MissReason::VersionOrCodec;
        }
        // A remembered error that cannot be read is one of another function, or of another process.
        if value.is_error() {
            return MissReason::Absent;
        }
        self.callsite.trials().again();
        MissReason::Undecodable
    }

    /// Whether a value that is kept longer than its time to live is still fresh. One round trip.
    pub(crate) async fn is_fresh(&self, value: &Value, budget: Budget) -> StoreResult<bool> {
        let Some(store) = self.cache.store() else {
            return Ok(false);
        };
        let (name, by) = (self.holder(value).name(), budget.deadline());
        let (record, now_ms) = tokio::join!(store.send(name, Get, by), store.send(name, Now, by));
        Ok(holds(record?.as_ref(), value) && now_ms? < value.fresh_until_ms())
    }
}

/// Whether a key still holds the value that was seen in it: no two values have the same token.
pub(in crate::read) fn holds(record: Option<&Bytes>, seen: &Value) -> bool {
    record.and_then(|record| record::token(record)) == Some(seen.token())
}
