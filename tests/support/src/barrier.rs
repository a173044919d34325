//! Gates that hold a body at a known place, counters of its runs, and waiting for a condition.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use super::LIMIT;

/// Holds whoever comes to [`Gate::pass`] until the test lets them through. Clones are one gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<GateState>);

#[derive(Debug)]
struct GateState {
    entered: watch::Sender<usize>,
    inside: watch::Sender<usize>,
    passes: Semaphore,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self(Arc::new(GateState {
            entered: watch::Sender::new(0),
            inside: watch::Sender::new(0),
            passes: Semaphore::new(0),
        }))
    }

    /// Says that somebody has come, then waits to be let through. For the body.
    pub async fn pass(&self) {
        let _inside = Inside::enter(&self.0);
        // An error is an open gate.
        if let Ok(pass) = self.0.passes.acquire().await {
            pass.forget();
        }
    }

    /// Waits until `count` have come in all, those included that have left since.
    pub async fn entered(&self, count: usize) {
        reaches(&self.0.entered, "came to the gate", |entered| entered >= count).await;
    }

    /// Waits until nobody is held any more: each was let through, or its future was dropped.
    pub async fn empty(&self) {
        reaches(&self.0.inside, "left at the gate", |inside| inside == 0).await;
    }

    /// How many are held now.
    pub fn inside(&self) -> usize {
        *self.0.inside.borrow()
    }

    /// Lets `count` through, of those who wait or of those who will come.
    pub fn release(&self, count: usize) {
        self.0.passes.add_permits(count);
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.0.passes.close();
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

async fn reaches(count: &watch::Sender<usize>, what: &str, enough: impl Fn(usize) -> bool) {
    let mut seen = count.subscribe();
    let reached = async { seen.wait_for(|count| enough(*count)).await.map(|count| *count) };
    let reached = tokio::time::timeout(LIMIT, reached).await;
    assert!(
        reached.is_ok_and(|reached| reached.is_ok()),
        "{} {what} within {LIMIT:?}",
        *count.borrow()
    );
}

/// Counts out whoever was held, also when their future is dropped.
struct Inside<'a>(&'a GateState);

impl<'a> Inside<'a> {
    fn enter(gate: &'a GateState) -> Self {
        gate.inside.send_modify(|inside| *inside += 1);
        gate.entered.send_modify(|entered| *entered += 1);
        Self(gate)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.send_modify(|inside| *inside -= 1);
    }
}

/// Counts the runs of a body. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicUsize>);

impl Counter {
    /// A counter at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one run and says which one it is, from 1.
    pub fn count(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The number of runs so far.
    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Waits until a condition holds, which may contain `.await`; fails with its text after [`LIMIT`].
///
/// The condition is what is waited for. That something does *not* happen cannot be shown this way.
#[macro_export]
macro_rules! eventually {
    ($condition:expr $(,)?) => {{
        let patience = $crate::barrier::Patience::new();
        while !$condition {
            patience.pause(::std::stringify!($condition)).await;
        }
    }};
}
pub use crate::eventually;

/// The limit behind [`eventually!`], in real time even where the test has paused tokio's clock.
#[derive(Debug)]
pub struct Patience(Instant);

impl Patience {
    /// Patience that ends [`LIMIT`] from now.
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// Waits a moment before the condition is looked at again.
    pub async fn pause(&self, condition: &str) {
        assert!(self.0.elapsed() < LIMIT, "not within {LIMIT:?}: {condition}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::new()
    }
}
