//! Over how many partitions of a queue pushes are spread.

use crate::store::queue::redis::call::{Call, number};
use crate::store::queue::redis::scripts::{LAYOUT, TURN};
use crate::store::queue::redis::{RedisQueue, reply};
use crate::store::queue::{Layout, Step, Turned};
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

impl RedisQueue {
    /// Takes a step, if nobody has gone further; what there is then.
    pub(crate) async fn relayout(&self, step: Step, by: Deadline) -> StoreResult<Layout> {
        let call = Call::new(&LAYOUT).key(&self.keys.layout).key(&self.keys.workers);
        let call = match step {
            Step::Look => call.arg("look").arg("0"),
            Step::Announce { of, spread, after } => {
                call.arg("announce").arg(number(of)).arg(number(spread.into())).arg(number(after))
            }
            Step::Make { epoch, drains, us } => call
                .arg("make")
                .arg(number(epoch))
                .arg(if drains { "1" } else { "0" })
                .arg(number(us)),
            Step::Settle { epoch } => call.arg("settle").arg(number(epoch)),
        };
        let reply = self.run(&self.keys.layout, call, by).await?;
        reply::layout(&reply).ok_or(StoreError::Unexpected)
    }

    /// Turns a partition to a layout, unless it has a later one.
    pub(crate) async fn turn(
        &self,
        partition: u32,
        epoch: u64,
        by: Deadline,
    ) -> StoreResult<Turned> {
        let lane = self.keys.lane(partition);
        let call = Call::new(&TURN).key(&lane.stream).key(&lane.clock).arg(number(epoch));
        let reply = self.run(&lane.stream, call, by).await?;
        reply::turned(&reply).ok_or(StoreError::Unexpected)
    }
}
