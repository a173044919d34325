//! The search of a call whose key is an [alias](crate::read::alias).

use crate::engine::Mode;
use crate::metrics::MissReason;
use crate::read::alias::look::SeenEntity;
use crate::read::interpret::{Missing, Reply};
use crate::read::lease::{Captured, Lease};
use crate::read::lookup::Lookup;
use crate::read::restore::Source;
use crate::record::{self, Value};
use crate::store::Acquired;

impl Lookup<'_> {
    /// Interprets a reply about both keys.
    pub(super) fn interpret_both(&mut self, reply: Reply) -> Result<Value, Missing> {
        // An index that is up to date is of no use either if its value does not decode.
        let record = reply.record.as_ref().ok().and_then(Option::as_ref);
        let held = record.filter(|record| record::holds_value(record));
        self.reject = held.and_then(|record| record::token(record));
        let (seen, entity) = self.call.interpret_both(reply);
        self.seen_entity = entity;
        match seen {
            // It is to be replaced, however fresh it is.
            Ok(value) if self.mode == Mode::Refresh => {
                Err(self.discard(&value, MissReason::Absent))
            }
            seen => seen,
        }
    }

    /// Captures what stands in the key of the entity, or the right to store something there, for a
    /// load that is about to begin. Nothing where the entity is not known, or somebody else writes
    /// or loads it.
    pub(super) async fn capture_entity(&mut self) -> Option<Captured> {
        let reject = match std::mem::take(&mut self.seen_entity) {
            SeenEntity::Valid(value, stamps) => return Some(Captured::Value(value, stamps)),
            SeenEntity::Useless(token) => Some(token),
            SeenEntity::Unknown => None,
        };
        let entity = self.call.entity()?;
        let mut lease = Box::new(Lease::new(entity, self.budget, None));
        match lease.acquire(reject).await.0 {
            Ok(Acquired::Leased) => Some(Captured::Lease(lease.begin())),
            // Another call has stored it meanwhile.
            Ok(Acquired::Value(record)) => {
                let seen = entity.interpret_record(record, lease.stamps(), 0).ok();
                let value = seen.filter(|value| !value.is_error())?;
                Some(Captured::Value(value, lease.stamps().clone()))
            }
            Ok(_) => None,
            Err(error) => {
                self.call.count(error.event());
                None
            }
        }
    }

    /// Makes the leader's value the result: what it has loaded, or what it has found.
    pub(super) async fn take_of_alias(&self, value: &Value) -> bool {
        if value.key() != self.call.hash {
            return self.decode(value).await.is_ok();
        }
        let codec = self.call.schema.codec;
        self.call.fits(value) && self.restore(Source::Payload(value.clone(), codec)).await
    }
}
