//! One of the two queues, driven by numbers: generations are each one's own.

use std::time::Duration;

use redis::{Connection, FromRedisValue, cmd};
use tokio::time::Instant;

use crate::cache::Cache;
use crate::queue::QueueState;
use crate::queue::partitions::Partitions;
use crate::store::StoreResult;
use crate::store::queue::{
    Added, Addition, Claim, Death, PartitionConnection, Position, PushTime, ReadFrom, ReadReply,
    Renewal,
};
use crate::testing::agreement::queues::steps::{Act, Step};
use crate::testing::agreement::queues::{LANE, SITE};
use crate::testing::faulty_store::producers::Producers;

/// A lease of one of the test's hours lasts longer than any test.
pub(super) const HOUR: u64 = 3_600_000;

/// The tokens of two workers, in turn.
const TOKENS: [&str; 4] = ["a", "b", "a again", "b again"];

pub(super) struct Side {
    pub(super) log: Partitions,
    pub(super) line: PartitionConnection,
    /// The server, as others reach it.
    connection: Option<Connection>,
    /// In memory nobody else remembers.
    producers: Producers,
    generation: u64,
}

impl Side {
    /// The queue of a server, which is emptied.
    pub(super) async fn redis(url: &str) -> Self {
        let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
        cmd("FLUSHALL").exec(&mut connection).unwrap();
        Self::of(Cache::connect(url).unwrap(), Some(connection)).await
    }

    pub(super) async fn memory() -> Self {
        Self::of(Cache::in_memory(), None).await
    }

    async fn of(cache: Cache, connection: Option<Connection>) -> Self {
        let log =
            Partitions { shared: QueueState::of(cache.core(), &SITE), cache: cache.core().clone() };
        let line = log.line(0, soon()).await.unwrap();
        log.turn(0, 1, soon()).await.unwrap();
        Self { log, line, connection, producers: Producers::default(), generation: 0 }
    }

    /// The answer, in words that are the same on both sides.
    pub(super) async fn execute(&mut self, step: &Step) -> StoreResult<String> {
        let answer = match step {
            Step::Push { number, oldest, given_up, us, window, node, key, longest } => {
                let addition = Addition {
                    producer: &format!("{LANE}:from:p"),
                    number: *number,
                    epoch: 1,
                    oldest: *oldest,
                    longest: *longest,
                    stamp: PushTime { us: *us, node: *node },
                    window_us: *window,
                    given_up,
                    key,
                    payload: &number.to_be_bytes(),
                };
                format!("{:?}", self.push(addition).await?)
            }
            Step::Act { who, hours, act } => {
                let lease = Duration::from_millis(hours * HOUR);
                self.act(&claim(*who, lease), act).await?
            }
            Step::Expire if self.connection.is_none() => {
                self.log.here().unwrap().expire(0);
                String::new()
            }
            Step::Expire => {
                self.ask::<i64>(&["PEXPIRE", &format!("{LANE}:owner"), "0"]);
                String::new()
            }
            Step::Lease => format!("{:?}", self.lease()),
            Step::Redrive(limit) => {
                let ever = (Death::default(), Death::LAST);
                format!("{:?}", self.log.redrive(0, ever, *limit, soon()).await?)
            }
            Step::RedriveOne(at) => {
                let death = self.death(*at).await?;
                format!("{:?}", self.log.redrive(0, (death, death), 1, soon()).await?)
            }
            Step::Discard(at) => {
                let death = self.death(*at).await?;
                format!("{:?}", self.log.discard(0, &[death], soon()).await?)
            }
            Step::Held(behind, limit) => {
                let items = self.log.held(0, self.at(*behind), *limit, soon()).await?;
                let items = items
                    .into_iter()
                    .map(|item| (item.position.number, item.stamp, item.key, item.payload));
                format!("{:?}", items.collect::<Vec<_>>())
            }
            Step::Remove(numbers) => {
                let items: Vec<_> = numbers.iter().map(|number| self.at(*number)).collect();
                format!("{:?}", self.log.remove(0, &items, soon()).await?)
            }
            Step::Dead(first, limit) => {
                let after = match first.checked_sub(1) {
                    Some(before) => self.death(before).await?,
                    None => Death::default(),
                };
                let dead = self.log.dead(0, after, *limit, soon()).await?;
                let is_sorted = dead.is_sorted_by(|one, other| one.death < other.death);
                let dead = dead.into_iter().map(|dead| {
                    (dead.stored.position.number, dead.stored.stamp, dead.error, dead.attempts)
                });
                format!("{:?} {is_sorted}", dead.collect::<Vec<_>>())
            }
            Step::Lengths => {
                let lengths = self.log.lengths(0, soon()).await?;
                let waits = !lengths.lag.is_zero();
                format!("{} {} {} {waits}", lengths.waiting, lengths.pending, lengths.dead)
            }
        };
        Ok(answer)
    }

    pub(super) async fn push(&mut self, addition: Addition<'_>) -> StoreResult<Added> {
        if self.connection.is_none() {
            return Ok(self.producers.push(self.log.here().unwrap(), 0, &addition));
        }
        self.log.push(0, addition, soon()).await
    }

    async fn act(&mut self, claim: &Claim, act: &Act) -> StoreResult<String> {
        let by = soon();
        let answer = match act {
            Act::Take => format!("{:?}", self.log.take(0, claim, by).await?),
            Act::GiveBack => {
                self.log.give_back(0, claim, by).await?;
                String::new()
            }
            Act::Renew(fresh, is_late) => {
                let renewal = Renewal { fresh: TOKENS[*fresh], is_late: *is_late };
                format!("{:?}", self.line.renew(claim, renewal, by).await?)
            }
            Act::Read(count, behind) => {
                let from =
                    behind.map_or(ReadFrom::New, |number| ReadFrom::Pending(self.at(number)));
                match self.line.read(claim, *count, (from, 1), by).await? {
                    ReadReply::Lost => "lost".to_owned(),
                    ReadReply::Items { items, last, .. } => {
                        self.generation = last.generation;
                        let items = items
                            .into_iter()
                            .map(|item| (item.position.number, item.stamp, item.key, item.payload));
                        format!("{:?} {}", items.collect::<Vec<_>>(), last.number)
                    }
                }
            }
            Act::Unheard(more) => format!("{:?}", self.line.unheard(claim, *more, by).await?),
            Act::Ack(numbers) => {
                let done: Vec<_> = numbers.iter().map(|number| self.at(*number)).collect();
                format!("{:?}", self.line.ack(claim, &done, by).await?)
            }
            Act::Bury(number) => {
                let at = self.at(*number);
                format!("{:?}", self.line.bury(claim, at, "no", 3, by).await?)
            }
        };
        Ok(answer)
    }

    /// When the dead letter of this number died; if there is none, when none can have died.
    async fn death(&self, at: usize) -> StoreResult<Death> {
        let dead = self.log.dead(0, Death::default(), at + 1, soon()).await?;
        Ok(dead.get(at).map_or(Death { ms: 1, sequence: 0 }, |buried| buried.death))
    }

    fn at(&self, number: u64) -> Position {
        Position { generation: self.generation, number }
    }

    /// How many hours the lease lasts that somebody has.
    fn lease(&mut self) -> Option<u64> {
        let left = match &mut self.connection {
            None => self.log.here().unwrap().lease(0)?.as_millis().try_into().unwrap(),
            Some(_) => u64::try_from(self.ask::<i64>(&["PTTL", &format!("{LANE}:owner")])).ok()?,
        };
        Some((left + HOUR / 2) / HOUR)
    }

    /// What the server says to somebody else.
    pub(super) fn ask<R: FromRedisValue>(&mut self, words: &[&str]) -> R {
        let connection = self.connection.as_mut().expect("only a server can be asked");
        cmd(words[0]).arg(&words[1..]).query(connection).unwrap()
    }
}

pub(super) fn claim(who: usize, lease: Duration) -> Claim {
    Claim { token: TOKENS[who].to_owned(), worker: TOKENS[who % 2].to_owned(), lease }
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}
