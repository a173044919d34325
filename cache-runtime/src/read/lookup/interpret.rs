//! What an entry means to a call of a function, and to a read by hand.
//!
//! Before the store is asked, a reader is told by [`is_being_written`](crate::read::is_being_written) and by the journal
//! ([`Tags::are_outdated`](crate::engine::tags::Tags::are_outdated)) whether it may look at all.

use bytes::Bytes;

use crate::codec::Schema;
use crate::engine::Core;
use crate::engine::misuse::{self, Oddity};
use crate::engine::tags::Standing;
use crate::metrics::Event;
use crate::policy::Callsite;
use crate::record::token::Token;
use crate::record::{self, Value};
use crate::store::{Get, Name, Now, StoreResult};
use crate::support::budget::Budget;
use crate::support::panic::guarded;

/// Which values somebody can read, and whose statistics tell of those that are none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) cache: &'a Core,
    pub(crate) callsite: &'static Callsite,
    pub(crate) schema: Schema,
}

/// What was found in a key.
#[derive(Debug)]
pub(crate) enum Interpreted {
    /// A value, which may not decode.
    Value(Value),
    /// A value that was stored under other stamps.
    Outdated(Value),
    /// A value with this token that is of no use.
    Useless(Token),
    /// Nothing that may stay.
    Nothing,
    /// A fence, or somebody else's data.
    Obstacle,
}

impl Reader<'_> {
    /// Interprets a record that was read together with the stamps of its entry's tags.
    pub(crate) fn interpret(
        &self,
        name: Name<'_>,
        record: Bytes,
        stamps: &Standing,
    ) -> Interpreted {
        match record::read(record, name.hash) {
            record::Found::Value(value) if stamps.are_those_of(&value) => Interpreted::Value(value),
            record::Found::Value(value) => Interpreted::Outdated(value),
            record::Found::Lease | record::Found::Damaged => Interpreted::Nothing,
            record::Found::Fence => Interpreted::Obstacle,
            record::Found::Foreign => {
                self.count(Event::Foreign);
                Interpreted::Obstacle
            }
            // A copy of another key's record: the store has verified that no replies were mixed up.
            record::Found::Misplaced(token) => {
                self.count(Event::Misplaced);
                Interpreted::Useless(token)
            }
        }
    }

    /// What `restore` makes of a value of the right codec, version and size.
    pub(crate) fn decode<R>(
        &self,
        value: &Value,
        restore: impl FnOnce(&Value) -> Option<R>,
    ) -> Option<R> {
        let decoded = self.fits(value).then(|| guarded(|| restore(value)).flatten()).flatten();
        if decoded.is_none() {
            self.count_undecodable(value);
        }
        decoded
    }

    /// Whether a value is of the right codec, version and size.
    pub(crate) fn fits(&self, value: &Value) -> bool {
        self.is_of_schema(value) && value.payload().len() <= self.cache.settings().max_value_bytes
    }

    /// Whether a value is of the right codec and version.
    pub(crate) fn is_of_schema(&self, value: &Value) -> bool {
        value.codec() == self.schema.codec.id() && value.version() == self.schema.version
    }

    /// Tells of a value that cannot be read.
    pub(crate) fn count_undecodable(&self, value: &Value) {
        let (size, most) = (value.payload().len(), self.cache.settings().max_value_bytes);
        if size > most {
            let description = format_args!(
                "its entry has {size} bytes, more than the `max_value_bytes` of this process ({most}): it was stored with \
                 another setting, counts as undecodable, and is loaded again"
            );
            misuse::remark(self.callsite, Oddity::OversizedEntry, description);
        }
        // An error in the place of a value is one of another function, or of another process.
        if !value.is_error() {
            self.count(Event::Undecodable);
            if self.fits(value) {
                self.callsite.trials().again();
            }
        }
    }

    fn count(&self, event: Event) {
        self.cache.recorder().count(self.callsite, event);
    }
}

/// Whether a value is still within its time to live, for an entry that is kept longer than that.
pub(crate) async fn is_fresh(
    cache: &Core,
    name: Name<'_>,
    value: &Value,
    budget: Budget,
) -> StoreResult<bool> {
    let Some(store) = cache.store() else {
        return Ok(false);
    };
    let by = budget.deadline();
    let (record, now_ms) = tokio::join!(store.send(name, Get, by), store.send(name, Now, by));
    let stands = record?.and_then(|record| record::token(&record)) == Some(value.token());
    Ok(stands && now_ms? < value.fresh_until_ms())
}
