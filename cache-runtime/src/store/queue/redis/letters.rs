//! Dead letters, each partition's in a stream of their own.

use redis::Value;

use crate::store::queue::redis::call::{Call, number};
use crate::store::queue::redis::reply;
use crate::store::queue::redis::scripts::REDRIVE;
use crate::store::queue::{Buried, Death, Lane};
use crate::store::redis::RedisStore;
use crate::store::redis::topology::router::route;
use crate::store::{Name, StoreError, StoreResult};
use crate::support::budget::Deadline;

impl RedisStore {
    /// The oldest dead letters of a partition of those that died after one.
    pub(crate) async fn queue_dead(
        &self,
        lane: &Lane,
        after: Death,
        limit: usize,
        by: Deadline,
    ) -> StoreResult<Vec<Buried>> {
        let mut range = redis::cmd("XRANGE");
        range.arg(&lane.dead).arg(format!("({after}")).arg("+").arg("COUNT").arg(limit);
        let reply = route!(self, Name::new(&lane.dead), by, |session| session.ask(&range, by))?;
        reply::buried(reply).ok_or(StoreError::Unexpected)
    }

    /// Puts the oldest dead letters that died between two moments, these among them, back at the end of their partition; how
    /// many.
    pub(crate) async fn queue_redrive(
        &self,
        lane: &Lane,
        (from, to): (Death, Death),
        limit: usize,
        by: Deadline,
    ) -> StoreResult<u64> {
        let name = Name::new(&lane.stream);
        let reply = route!(self, name, by, |session| {
            let call = Call::new(&REDRIVE)
                .key(&lane.stream)
                .key(&lane.clock)
                .key(&lane.dead)
                .arg(number(limit as u64))
                .arg(session.origin().0)
                .arg(from.to_string())
                .arg(to.to_string());
            session.run(call, by)
        });
        count(&reply?)
    }

    /// Removes dead letters for good; how many there were.
    pub(crate) async fn queue_discard(
        &self,
        lane: &Lane,
        deaths: &[Death],
        by: Deadline,
    ) -> StoreResult<u64> {
        let mut remove = redis::cmd("XDEL");
        remove.arg(&lane.dead);
        for death in deaths {
            remove.arg(death.to_string());
        }
        count(&route!(self, Name::new(&lane.dead), by, |session| session.ask(&remove, by))?)
    }
}

fn count(reply: &Value) -> StoreResult<u64> {
    match reply {
        Value::Int(count) => u64::try_from(*count).map_err(|_| StoreError::Unexpected),
        _ => Err(StoreError::Unexpected),
    }
}
