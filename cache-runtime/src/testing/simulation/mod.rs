//! The runtime over the embedded store, in simulated time, with faults drawn from a seed.
//!
//! Everything runs on one thread, tokio's clock is paused, and the runtime's own random numbers
//! come from the seed as well: a seed gives the same history every time. The store is behind a
//! network for each process, which loses, delays and reorders commands
//! ([`faulty`](crate::testing::faulty_store)). What comes out is judged by the rules of
//! [`history`](cache_testing::history), as with real processes; besides, nobody may hang, and
//! nothing may be left behind.
//!
//! `CACHE_TEST_SEED` repeats one run, `CACHE_TEST_SEEDS` says how many there are.

mod aging;
mod aliases;
mod cut;
mod drops;
mod early;
mod functions;
mod intrusions;
mod manner;
mod operations;
mod queues;
mod restarts;
mod seeds;
mod world;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use cache_testing::dice::Dice;
use tokio::time::{Instant, timeout};

use crate::cache::Cache;
use crate::engine::{CacheBuilder, Core};
use crate::store::Store;

thread_local! {
    static RANDOM: RefCell<Option<Dice>> = const { RefCell::new(None) };
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

/// The time of day in a simulation, which all its processes share.
#[derive(Clone, Debug)]
struct Clock {
    begin: Instant,
    /// The last stamp of an item.
    last: Rc<AtomicU64>,
}

impl Clock {
    /// Microseconds since 1970.
    fn wall_us(&self) -> u64 {
        const BEGIN: u64 = 1_800_000_000_000_000;
        BEGIN + u64::try_from(self.begin.elapsed().as_micros()).unwrap_or_default()
    }
}

/// Gives a simulation under way on this thread its own numbers and time.
fn substitute() {
    let random = || RANDOM.with_borrow(|dice| dice.as_ref().map(Dice::draw));
    let wall = || CLOCK.with_borrow(|clock| clock.as_ref().map(Clock::wall_us));
    let last = || CLOCK.with_borrow(|clock| clock.as_ref().map(|clock| Rc::clone(&clock.last)));
    // An error means that an earlier simulation has done it.
    _ = crate::support::random::SUBSTITUTE.set(random);
    _ = crate::support::clock::SUBSTITUTE.set(wall);
    _ = crate::queue::push::clock::SUBSTITUTE.set(last);
}

/// A cache over a store that is given.
pub(crate) fn over(store: Store, builder: CacheBuilder) -> Cache {
    Core::new(Some(store), builder.settings().checked().unwrap()).into()
}

/// Longer than anything may take, in simulated time.
const HANG: Duration = Duration::from_secs(3_600);

/// Runs a scenario in simulated time.
fn simulate<F: Future>(seed: u64, scenario: impl FnOnce(Dice) -> F) -> F::Output {
    substitute();
    let dice = Dice::new(seed);
    // What this process draws only once is none of the seed's.
    crate::queue::push::clock::node();
    RANDOM.set(Some(dice.fork(1)));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let output = runtime.unwrap().block_on(async {
        CLOCK.set(Some(Clock { begin: Instant::now(), last: Rc::default() }));
        timeout(HANG, scenario(dice.fork(2))).await
    });
    RANDOM.set(None);
    CLOCK.set(None);
    output.unwrap_or_else(|_| panic!("somebody hangs, CACHE_TEST_SEED={seed}"))
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}")))
}
