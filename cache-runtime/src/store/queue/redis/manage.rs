//! What operators do with a queue.

use redis::Value;

use crate::store::queue::redis::call::{Call, number};
use crate::store::queue::redis::reply;
use crate::store::queue::redis::scripts::{FORGET, KNOW, REMOVE};
use crate::store::queue::{Lane, Overview, Position, Stored};
use crate::store::redis::RedisStore;
use crate::store::redis::topology::router::route;
use crate::store::{Name, StoreError, StoreResult};
use crate::support::budget::Deadline;

impl RedisStore {
    /// What is known of a queue.
    pub(crate) async fn queue_known(&self, workers: &str, by: Deadline) -> StoreResult<Overview> {
        let mut get = redis::cmd("HMGET");
        get.arg(workers).arg("partitions").arg("paused");
        let reply = route!(self, Name::new(workers), by, |session| session.ask(&get, by))?;
        reply::known(&reply).ok_or(StoreError::Unexpected)
    }

    /// Makes a queue known, and that it has so many partitions; `queues` lists all.
    pub(crate) async fn queue_register(
        &self,
        queues: &str,
        queue: &str,
        (workers, partitions): (&str, u32),
        by: Deadline,
    ) -> StoreResult<()> {
        let call = Call::new(&KNOW).key(workers).arg(number(partitions.into()));
        self.queue_run(workers, call, by).await?;
        let mut add = redis::cmd("SADD");
        add.arg(queues).arg(queue);
        route!(self, Name::new(queues), by, |session| session.ask(&add, by)).map(|_| ())
    }

    /// Makes partitions fewer, from the first number to the second. False: there are not as many as the first.
    pub(crate) async fn queue_forget(
        &self,
        workers: &str,
        (known, own): (u32, u32),
        by: Deadline,
    ) -> StoreResult<bool> {
        let call =
            Call::new(&FORGET).key(workers).arg(number(known.into())).arg(number(own.into()));
        reply::decision(&self.queue_run(workers, call, by).await?)
    }

    /// The queues that were made known.
    pub(crate) async fn queue_list(&self, queues: &str, by: Deadline) -> StoreResult<Vec<String>> {
        let mut members = redis::cmd("SMEMBERS");
        members.arg(queues);
        let reply = route!(self, Name::new(queues), by, |session| session.ask(&members, by))?;
        reply::texts(&reply).ok_or(StoreError::Unexpected)
    }

    /// Pauses a queue, or ends that.
    pub(crate) async fn queue_pause(
        &self,
        workers: &str,
        pauses: bool,
        by: Deadline,
    ) -> StoreResult<()> {
        let mut set = redis::cmd(if pauses { "HSET" } else { "HDEL" });
        set.arg(workers).arg("paused");
        if pauses {
            set.arg("1");
        }
        route!(self, Name::new(workers), by, |session| session.ask(&set, by)).map(|_| ())
    }

    /// The first items of a partition behind a position, whether somebody has read them or not.
    pub(crate) async fn queue_held(
        &self,
        lane: &Lane,
        after: Position,
        limit: usize,
        by: Deadline,
    ) -> StoreResult<Vec<Stored>> {
        let mut range = redis::cmd("XRANGE");
        range.arg(&lane.stream).arg(format!("({}", after.stream_id())).arg("+");
        range.arg("COUNT").arg(limit);
        let reply = route!(self, Name::new(&lane.stream), by, |session| session.ask(&range, by))?;
        reply::items(reply).ok_or(StoreError::Unexpected)
    }

    /// Removes items of a partition for good; how many there were.
    pub(crate) async fn queue_remove(
        &self,
        lane: &Lane,
        items: &[Position],
        by: Deadline,
    ) -> StoreResult<u64> {
        let call = Call::new(&REMOVE).key(&lane.stream);
        let call = items.iter().fold(call, |call, position| call.arg(position.stream_id()));
        match self.queue_run(&lane.stream, call, by).await? {
            Value::Int(count) => u64::try_from(count).map_err(|_| StoreError::Unexpected),
            _ => Err(StoreError::Unexpected),
        }
    }
}
