//! The embedded store at the end of a network that loses, delays and answers late: for the simulation.

pub(crate) mod producers;
mod queue;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

pub(crate) use self::queue::Primary;
use super::memory::MemoryStore;
use super::{
    Acquired, Claim, Deadline, End, Ended, Fill, Filling, Name, Stamped, StoreError, StoreResult,
};
use crate::simulation::dice::Dice;
use crate::token::Token;

/// A store that several processes share, as one of them reaches it.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    memory: Arc<MemoryStore>,
    queues: Arc<Primary>,
    network: Arc<Network>,
}

/// What lies between a process and the store: one connection, and another after it was reset.
#[derive(Debug)]
pub(crate) struct Network {
    dice: Dice,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How many of a hundred something happens to.
    faults: u64,
    /// And how many take longer.
    slow: u64,
    /// Until then nothing gets through.
    stalled: Instant,
    /// On one connection commands arrive, and answers return, in the order in which they were sent.
    last: (Instant, Instant),
}

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    /// Refused at once.
    Down,
    /// The connection is reset before the command arrives.
    LostBefore,
    /// The connection is reset before the answer arrives.
    LostAfter,
    /// Nothing happens, and nobody says so.
    SilentBefore,
    /// It is executed, and nobody says so.
    SilentAfter,
    /// It is executed long after its caller has given up.
    Late,
}

const FATES: [(u64, Fate); 6] = [
    (2, Fate::Down),
    (2, Fate::LostBefore),
    (3, Fate::LostAfter),
    (1, Fate::SilentBefore),
    (2, Fate::SilentAfter),
    (2, Fate::Late),
];

impl Network {
    pub(crate) fn new(dice: Dice, faults: u64, slow: u64) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            dice,
            state: Mutex::new(State { faults, slow, stalled: now, last: (now, now) }),
        })
    }

    /// From now on nothing goes wrong.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        (state.faults, state.slow, state.stalled) = (0, 0, Instant::now());
    }

    /// Lets nothing through for a while.
    pub(crate) fn stall(&self, time: Duration) {
        self.state().stalled = Instant::now() + time;
    }

    /// Draws a command's fate, when it arrives, and when its answer does.
    fn draw(&self) -> (Fate, Instant, Instant) {
        let dice = &self.dice;
        let mut state = self.state();
        let fate = if dice.percent(state.faults) { dice.pick(&FATES) } else { Fate::Done };
        let way = || {
            let longest = if dice.percent(state.slow) { 40 } else { 3 };
            Duration::from_millis(dice.below(longest))
        };
        let now = Instant::now();
        let arrives = state.last.0.max(now.max(state.stalled) + way());
        let answers = state.last.1.max(arrives + way());
        match fate {
            Fate::Done => state.last = (arrives, answers),
            Fate::Late => return (fate, now + Duration::from_millis(dice.below(2_000)), answers),
            // The next command goes by another connection.
            _ => state.last = (now, now),
        }
        (fate, arrives, answers)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultyStore {
    pub(crate) fn new(memory: Arc<MemoryStore>, network: Arc<Network>) -> Self {
        Self { memory, queues: Arc::default(), network }
    }

    /// A store whose queues others reach, too.
    pub(crate) fn of_queues(queues: Arc<Primary>, network: Arc<Network>) -> Self {
        Self { memory: Arc::new(MemoryStore::new(1 << 20)), queues, network }
    }

    /// Sends a command. What was sent is executed whether or not somebody waits for the answer.
    async fn command<R: Send + 'static>(
        &self,
        name: Name<'_>,
        by: Deadline,
        execute: impl FnOnce(&MemoryStore, Name<'_>) -> R + Send + 'static,
    ) -> StoreResult<R> {
        let (memory, text) = (Arc::clone(&self.memory), name.text.to_owned());
        self.send(by, move || Some(execute(&memory, Name::new(&text)))).await
    }

    /// Sends what may be lost where it arrives.
    async fn send<R: Send + 'static>(
        &self,
        by: Deadline,
        execute: impl FnOnce() -> Option<R> + Send + 'static,
    ) -> StoreResult<R> {
        let (fate, arrives, answers) = self.network.draw();
        if fate == Fate::Down {
            return Err(StoreError::Down);
        }
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            sleep_until(arrives).await;
            let executed = !matches!(fate, Fate::LostBefore | Fate::SilentBefore);
            let reply = executed.then(execute).flatten();
            sleep_until(answers).await;
            match fate {
                Fate::LostBefore | Fate::LostAfter => {}
                // Nobody waits any more.
                Fate::SilentBefore | Fate::SilentAfter | Fate::Late => {
                    sleep_until(by + Duration::from_millis(1)).await;
                }
                _ => {
                    if let Some(reply) = reply {
                        _ = answer.send(reply);
                    }
                }
            }
        });
        match timeout_at(by, answered).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(StoreError::Lost),
            Err(_) => Err(StoreError::TimedOut),
        }
    }

    pub(crate) async fn get(&self, name: Name<'_>, by: Deadline) -> StoreResult<Option<Bytes>> {
        self.command(name, by, MemoryStore::get).await
    }

    pub(crate) async fn stamp(
        &self,
        names: &[Name<'_>],
        need: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Stamped>> {
        let mut replies = Vec::new();
        for name in names {
            let stamp = move |memory: &MemoryStore, name: Name<'_>| memory.stamp(name, need);
            replies.push(self.command(*name, by, stamp).await);
        }
        replies
    }

    pub(crate) async fn now_ms(&self, name: Name<'_>, by: Deadline) -> StoreResult<u64> {
        self.command(name, by, MemoryStore::now_ms).await
    }

    pub(crate) async fn acquire(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        reject: Option<Token>,
        by: Deadline,
    ) -> StoreResult<Acquired> {
        self.command(name, by, move |memory, name| memory.acquire(name, token, lease, reject)).await
    }

    pub(crate) async fn fill(&self, name: Name<'_>, fill: Fill, by: Deadline) -> StoreResult<bool> {
        self.command(name, by, |memory, name| memory.fill(name, fill)).await
    }

    pub(crate) async fn refresh(
        &self,
        name: Name<'_>,
        seen: Token,
        fill: Fill,
        by: Deadline,
    ) -> StoreResult<bool> {
        self.command(name, by, move |memory, name| memory.refresh(name, seen, fill)).await
    }

    pub(crate) async fn release(
        &self,
        name: Name<'_>,
        token: Token,
        by: Deadline,
    ) -> StoreResult<bool> {
        self.command(name, by, move |memory, name| memory.release(name, token)).await
    }

    pub(crate) async fn renew(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        by: Deadline,
    ) -> StoreResult<bool> {
        self.command(name, by, move |memory, name| memory.renew(name, token, lease)).await
    }

    pub(crate) async fn get_many(
        &self,
        names: &[Name<'_>],
        by: Deadline,
    ) -> Vec<StoreResult<Option<Bytes>>> {
        let mut replies = Vec::new();
        for name in names {
            replies.push(self.get(*name, by).await);
        }
        replies
    }

    pub(crate) async fn acquire_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Acquired>> {
        let mut replies = Vec::new();
        for claim in claims {
            replies.push(self.acquire(claim.name, claim.token, lease, claim.reject, by).await);
        }
        replies
    }

    pub(crate) async fn fill_many(
        &self,
        fillings: Vec<Filling<'_>>,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let mut replies = Vec::new();
        for Filling { name, seen, fill } in fillings {
            replies.push(match seen {
                None => self.fill(name, fill, by).await,
                Some(seen) => self.refresh(name, seen, fill, by).await,
            });
        }
        replies
    }

    pub(crate) async fn renew_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let mut replies = Vec::new();
        for claim in claims {
            replies.push(self.renew(claim.name, claim.token, lease, by).await);
        }
        replies
    }

    pub(crate) async fn invalidate(
        &self,
        names: &[Name<'_>],
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<()>> {
        let mut replies = Vec::new();
        for name in names {
            let invalidate =
                move |memory: &MemoryStore, name: Name<'_>| memory.invalidate(name, hold_off);
            replies.push(self.command(*name, by, invalidate).await);
        }
        replies
    }

    pub(crate) async fn begin(
        &self,
        names: &[Name<'_>],
        writer: Token,
        fence: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let mut replies = Vec::new();
        for name in names {
            let begin = move |memory: &MemoryStore, name: Name<'_>| {
                memory.begin(name, writer, fence);
                true
            };
            replies.push(self.command(*name, by, begin).await);
        }
        replies
    }

    pub(crate) async fn end(
        &self,
        ends: Vec<End<'_>>,
        writer: Token,
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Ended>> {
        let mut replies = Vec::new();
        for End { name, value } in ends {
            let end = move |memory: &MemoryStore, name: Name<'_>| {
                memory.end(name, writer, hold_off, value)
            };
            replies.push(self.command(name, by, end).await);
        }
        replies
    }

    pub(crate) async fn invalidate_matching(
        &self,
        pattern: &str,
        hold_off: Duration,
        by: Deadline,
    ) -> StoreResult<u64> {
        let invalidate = move |memory: &MemoryStore, name: Name<'_>| {
            memory.invalidate_matching(name.text, hold_off)
        };
        self.command(Name::new(pattern), by, invalidate).await
    }
}
