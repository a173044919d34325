//! Dead letters, each partition's in a stream of their own.

use crate::store::queue::redis::call::{Call, number};
use crate::store::queue::redis::scripts::REDRIVE;
use crate::store::queue::redis::{RedisQueue, reply};
use crate::store::queue::{Buried, Death, Lane};
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::topology::router::Exchange;
use crate::store::{Name, StoreError, StoreResult};
use crate::support::budget::Deadline;

impl RedisQueue {
    /// The oldest dead letters of a partition of those that died after one.
    pub(crate) async fn dead(
        &self,
        partition: u32,
        after: Death,
        limit: usize,
        by: Deadline,
    ) -> StoreResult<Vec<Buried>> {
        let lane = self.keys.lane(partition);
        let mut range = redis::cmd("XRANGE");
        range.arg(&lane.dead).arg(format!("({after}")).arg("+").arg("COUNT").arg(limit);
        let reply = self.store.router.run(Name::new(&lane.dead), &mut range, by).await?;
        reply::buried(reply).ok_or(StoreError::Unexpected)
    }

    /// Puts the oldest dead letters that died between two moments, these among them, back at the
    /// end of their partition; how many.
    pub(crate) async fn redrive(
        &self,
        partition: u32,
        between: (Death, Death),
        limit: usize,
        by: Deadline,
    ) -> StoreResult<u64> {
        let lane = self.keys.lane(partition);
        let mut redrive = Redrive { lane: &lane, between, limit };
        count(&self.store.router.run(Name::new(&lane.stream), &mut redrive, by).await?)
    }

    /// Removes dead letters for good; how many there were.
    pub(crate) async fn discard(
        &self,
        partition: u32,
        deaths: &[Death],
        by: Deadline,
    ) -> StoreResult<u64> {
        let lane = self.keys.lane(partition);
        let mut remove = redis::cmd("XDEL");
        remove.arg(&lane.dead);
        for death in deaths {
            remove.arg(death.to_string());
        }
        count(&self.store.router.run(Name::new(&lane.dead), &mut remove, by).await?)
    }
}

/// Puts dead letters back, with the origin of the primary that gets them.
struct Redrive<'a> {
    lane: &'a Lane,
    between: (Death, Death),
    limit: usize,
}

impl Exchange for Redrive<'_> {
    type Reply = RespValue;

    async fn run(&mut self, session: &mut Session<'_>, by: Deadline) -> StoreResult<RespValue> {
        let Self { lane, between: (from, to), limit } = self;
        let mut call = Call::new(&REDRIVE)
            .key(&lane.stream)
            .key(&lane.clock)
            .key(&lane.dead)
            .arg(number(*limit as u64))
            .arg(session.origin().0)
            .arg(from.to_string())
            .arg(to.to_string());
        call.run(session, by).await
    }
}

fn count(reply: &RespValue) -> StoreResult<u64> {
    match reply {
        RespValue::Int(count) => u64::try_from(*count).map_err(|_| StoreError::Unexpected),
        _ => Err(StoreError::Unexpected),
    }
}
