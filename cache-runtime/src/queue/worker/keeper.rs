//! Keeps the lease of an owner whose own task cannot: its sink may block the thread that it runs
//! on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::store::queue::{Claim, PartitionConnection, Renewal};
use crate::support::own_thread;

/// How long to wait before a connection that could not be made is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// How long nobody else can own a partition, as its owner and its keeper know it.
#[derive(Debug)]
pub(in crate::queue) struct Term(Mutex<Times>);

#[derive(Clone, Copy, Debug)]
struct Times {
    until: Instant,
    /// The latest time at which a call of the sink ends. A worker that takes the partition over
    /// later need not wait for it.
    given_up: Option<Instant>,
}

impl Term {
    pub(in crate::queue) fn new(until: Instant) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Times { until, given_up: None })))
    }

    pub(in crate::queue) fn until(&self) -> Instant {
        self.lock().until
    }

    pub(in crate::queue) fn extend(&self, until: Instant) {
        let mut times = self.lock();
        times.until = times.until.max(until);
    }

    /// From then on only the owner's task renews the lease; none: it is kept for as long as there
    /// is an owner.
    pub(in crate::queue) fn give_up_at(&self, at: Option<Instant>) {
        self.lock().given_up = at;
    }

    /// Whether anybody may take the partition, although a call of the sink is still under way.
    pub(in crate::queue) fn is_free(&self) -> bool {
        self.is_given_up() && self.until() <= Instant::now()
    }

    fn is_given_up(&self) -> bool {
        self.lock().given_up.is_some_and(|at| at <= Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task on a thread that no sink runs on. It renews a lease that is half over, which the owner's
/// task lets happen only if it cannot run. Ends with this handle.
#[derive(Debug)]
pub(in crate::queue) struct Keeper(AbortHandle);

impl Keeper {
    /// Keeps what is owned under a claim, over its connection; none where leases do not end, or
    /// time is simulated.
    pub(in crate::queue) fn new(
        line: &PartitionConnection,
        claim: &Claim,
        term: &Arc<Term>,
    ) -> Option<Self> {
        let PartitionConnection::Redis(server, keys) = line else { return None };
        let (mut server, keys) = (Arc::clone(server), keys.clone());
        let (claim, term, runtime) = (claim.clone(), Arc::clone(term), Handle::current());
        let keeping = own_thread::spawn(async move {
            loop {
                sleep_until(term.until() - claim.lease / 2).await;
                let asked = Instant::now();
                if term.until().saturating_duration_since(asked) > claim.lease / 2 {
                    continue;
                }
                // A thread that a sink keeps may be the one that waited for timers and sockets on
                // behalf of all threads of its runtime. Another one does that from now on, if it is
                // woken.
                runtime.spawn(async {});
                if term.is_given_up() {
                    sleep_until(asked + claim.lease / 4).await;
                    continue;
                }
                let by = asked + (claim.lease / 3).max(Duration::from_millis(100));
                let renewal = Renewal { fresh: &claim.token, is_late: false };
                match server.renew(&keys, &claim, renewal, by).await {
                    Ok(true) => term.extend(asked + claim.lease),
                    // The connection may be lost, and the owner cannot make another. The token
                    // stays: nothing but renewals can still be on their way.
                    Err(_) if Instant::now() < term.until() => match server.another(by).await {
                        Ok(another) => server = Arc::new(another),
                        Err(_) => sleep(PAUSE).await,
                    },
                    // The owner finds out what that means.
                    _ => return,
                }
            }
        });
        Some(Self(keeping.abort_handle()))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}
