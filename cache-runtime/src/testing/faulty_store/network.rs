//! The network of the simulation.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cache_testing::dice::Dice;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::testing::faulty_store::outage::{Link, Server};

/// What lies between a process and the store: one connection, and another after it was reset.
#[derive(Debug)]
pub(crate) struct Network {
    dice: Dice,
    state: Mutex<State>,
    pub(super) link: Link,
}

#[derive(Debug)]
struct State {
    /// How many of a hundred something happens to.
    faults: u64,
    /// And how many take longer.
    slow: u64,
    /// Until then nothing gets through.
    stalled: Instant,
    /// Until then the store answers reads only.
    read_only: Instant,
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
        Self::to(Arc::default(), dice, faults, slow)
    }

    /// To a server that may restart.
    pub(crate) fn to(server: Arc<Server>, dice: Dice, faults: u64, slow: u64) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            link: Link::new(&dice, server),
            dice,
            state: Mutex::new(State {
                faults,
                slow,
                stalled: now,
                read_only: now,
                last: (now, now),
            }),
        })
    }

    /// From now on nothing goes wrong.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        (state.faults, state.slow) = (0, 0);
        (state.stalled, state.read_only) = (Instant::now(), Instant::now());
    }

    /// Lets nothing through for a while.
    pub(crate) fn stall(&self, time: Duration) {
        self.state().stalled = Instant::now() + time;
    }

    /// Has everything but reads refused for a while.
    pub(crate) fn refuse_writes(&self, time: Duration) {
        self.state().read_only = Instant::now() + time;
    }

    pub(super) fn refuses_writes(&self) -> bool {
        self.state().read_only > Instant::now()
    }

    /// Whether something goes wrong that is none of the network's faults.
    pub(super) fn fails(&self) -> bool {
        self.dice.percent(self.state().faults)
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

    /// Sends what may be lost where it arrives.
    pub(super) async fn send<R: Send + 'static>(
        self: &Arc<Self>,
        by: Deadline,
        execute: impl FnOnce() -> Option<R> + Send + 'static,
    ) -> StoreResult<R> {
        let Some(life) = self.link.life() else { return Err(StoreError::Down) };
        let (fate, arrives, answers) = self.draw();
        if fate == Fate::Down {
            return Err(StoreError::Down);
        }
        let network = Arc::clone(self);
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            sleep_until(arrives).await;
            // What was sent to a server that has died since is lost with it.
            let is_there = network.link.is_alive(life);
            let executed = is_there && !matches!(fate, Fate::LostBefore | Fate::SilentBefore);
            let reply = executed.then(execute).flatten();
            if is_there {
                sleep_until(answers).await;
            }
            match fate {
                _ if !network.link.is_alive(life) => {}
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
}
