//! The circuit breaker of one server.
//!
//! Closed means that a connection is published; withdrawing it opens the breaker. So a call reads a
//! single atomic pointer to find out whether it may go ahead. All changes go through one lock, that
//! of the status: a connection is published and withdrawn together with the phase that it stands
//! for.
//!
//! The supervisor of a breaker is a task on the runtime for connections, or else on that of the
//! first caller. That runtime may be shut down, or may stay around with nobody to drive it. In the
//! first case, the task releases the breaker when it is dropped. For the second, the supervisor
//! sets a heartbeat deadline before each wait, and a caller that finds the deadline missed starts a
//! new supervisor. Each supervisor has a generation, a number: what an earlier generation still
//! does has no effect.

mod attempts;
mod ended;
mod logged_refusals;
mod status;
mod supervision;

use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};
use tokio::sync::{Notify, watch};

pub(in crate::store) use self::attempts::SPACING;
use self::logged_refusals::LoggedRefusals;
pub(crate) use self::status::Snapshot;
use self::status::Status;
pub(in crate::store) use self::supervision::Alarms;
use crate::error::Failures;
pub(crate) use crate::metrics::BreakerState as Phase;
use crate::metrics::{Observation, ObserverHandle};
use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::failover::FailoverWatch;
use crate::store::redis::connection::link::Link;
use crate::support::log;

/// Calls in a row without an answer that open the breaker, whatever a probe says.
const STRIKES: u32 = 20;
/// How many of them are left for a connection on trial.
const ON_TRIAL: u32 = 3;
/// How late a heartbeat may be: runtimes can be busy.
const LENIENCE: Duration = Duration::from_secs(1);
/// The heartbeat deadline of a supervisor that waits for an alarm.
const NEVER: u64 = u64::MAX;

#[derive(Debug)]
pub(in crate::store) struct Breaker {
    /// Whose breaker it is, for the log.
    server: String,
    link: ArcSwapOption<Link>,
    status: watch::Sender<Status>,
    /// Calls in a row that were not answered in time.
    strikes: AtomicU32,
    /// How far a large reply was when this was looked at last.
    progress: AtomicU64,
    alarms: AtomicU8,
    wake: Notify,
    /// Latest connection that has ended.
    gone: AtomicU64,
    epochs: AtomicU64,
    /// The supervisor's next heartbeat is due by then, in milliseconds since `created`.
    heartbeat_due: AtomicU64,
    created: Instant,
    pub(in crate::store) failovers: FailoverWatch,
    /// Where the latest failure is remembered, of this server or another one of its cache.
    failures: Arc<Failures>,
    logged: LoggedRefusals,
    observer: Option<ObserverHandle>,
}

impl Breaker {
    pub(in crate::store) fn new(
        server: String,
        failures: Arc<Failures>,
        observer: Option<ObserverHandle>,
    ) -> Self {
        let created = Instant::now();
        Self {
            server,
            link: ArcSwapOption::empty(),
            status: watch::Sender::new(Status::new(created)),
            strikes: AtomicU32::new(0),
            progress: AtomicU64::new(0),
            alarms: AtomicU8::new(0),
            wake: Notify::new(),
            gone: AtomicU64::new(0),
            epochs: AtomicU64::new(0),
            heartbeat_due: AtomicU64::new(NEVER),
            created,
            failovers: FailoverWatch::default(),
            failures,
            logged: LoggedRefusals::default(),
            observer,
        }
    }

    /// The connection, while the breaker lets calls through.
    pub(in crate::store) fn link(&self) -> Guard<Option<Arc<Link>>> {
        self.link.load()
    }

    pub(in crate::store) fn snapshot(&self) -> Snapshot {
        self.status.borrow().snapshot()
    }

    /// Waits until the first attempt to connect has ended.
    pub(in crate::store) async fn settled(&self) {
        // The sender is ours, so there is no error.
        _ = self.status.subscribe().wait_for(|status| status.phase != Phase::Connecting).await;
    }

    /// Waits until calls are refused.
    pub(in crate::store) async fn refusing(&self) {
        _ = self.status.subscribe().wait_for(Status::refuses).await;
    }

    /// Whether calls are refused while a supervisor is reconnecting.
    pub(in crate::store) fn is_refusing(&self) -> bool {
        self.status.borrow().refuses() && !self.is_overdue()
    }

    /// Waits until the phase or the connection is another one than `seen`.
    pub(in crate::store) async fn changed(&self, seen: Snapshot) -> Snapshot {
        let other = |status: &Status| (status.phase, status.epoch) != (seen.phase, seen.epoch);
        match self.status.subscribe().wait_for(other).await {
            Ok(status) => status.snapshot(),
            Err(_) => seen,
        }
    }

    /// A call was answered.
    pub(in crate::store) fn answered(&self) {
        // Read first: normally this cache line is shared by all threads and written by none.
        if self.strikes.load(Relaxed) != 0 {
            self.strikes.store(0, Relaxed);
            let recovered = self.change(|status| {
                let on_trial = status.phase == Phase::HalfOpen && self.link.load().is_some();
                on_trial.then(|| status.enter(Phase::Closed, None))
            });
            if recovered {
                log::info(format_args!("{}: answers again", self.server));
            }
        }
    }

    /// A call on connection `epoch` was not answered in time.
    pub(in crate::store) fn timed_out(&self, epoch: u64) {
        let strikes = self.strikes.fetch_add(1, Relaxed) + 1;
        self.doubt(epoch);
        if strikes < STRIKES {
            return;
        }
        if self.progresses(epoch) {
            // The reply is behind a large one, which is no fault of the server. The supervisor sees
            // to that.
            self.strikes.store(1, Relaxed);
        } else {
            self.withdraw(epoch, &Cause::TimedOut);
        }
    }

    /// Whether more of a large reply has arrived on connection `epoch` since this was asked last.
    fn progresses(&self, epoch: u64) -> bool {
        let link = self.link.load();
        link.as_ref()
            .filter(|link| link.epoch == epoch)
            .is_some_and(|link| link.has_progressed(self.progress.swap(link.progress(), Relaxed)))
    }

    /// A call was not answered in time, whatever that says about the server.
    pub(in crate::store) fn note_timeout(&self) {
        self.failures.note(Cause::TimedOut);
    }

    /// A call on connection `epoch` was given up: this does not count as unanswered, but the server
    /// is probed.
    pub(in crate::store) fn doubt(&self, epoch: u64) {
        if self.is_published(epoch) {
            if self.is_unsupervised() {
                self.withdraw(epoch, &Cause::TimedOut);
            }
            self.raise(Alarms::DOUBT);
        }
    }

    /// The server of connection `epoch` refuses writes.
    pub(in crate::store) fn demoted(&self, epoch: u64) {
        if self.is_published(epoch) {
            self.raise(Alarms::DEMOTED);
        }
    }

    /// The server of connection `epoch` runs no scripts any more: it is to be asked from time to
    /// time.
    pub(in crate::store) fn scriptless(&self, epoch: u64) {
        if self.is_published(epoch) {
            self.raise(Alarms::SCRIPTLESS);
        }
    }

    /// Why there is no connection.
    pub(in crate::store) fn cause(&self) -> Option<Cause> {
        self.status.borrow().cause.clone()
    }

    pub(in crate::store) fn is_connecting(&self) -> bool {
        self.status.borrow().phase == Phase::Connecting
    }

    /// Whether there is no active supervisor.
    pub(in crate::store) fn is_unsupervised(&self) -> bool {
        self.status.borrow().phase == Phase::Idle || self.is_overdue()
    }

    fn is_overdue(&self) -> bool {
        self.after(Duration::ZERO) > self.heartbeat_due.load(Acquire)
    }

    pub(in crate::store) fn is_published(&self, epoch: u64) -> bool {
        self.link.load().as_ref().is_some_and(|link| link.epoch == epoch)
    }

    /// Refuses calls from now on, if it is connection `epoch` that serves them.
    pub(in crate::store) fn withdraw(&self, epoch: u64, cause: &Cause) {
        if self.retract(epoch, cause) {
            self.failures.note(cause.clone());
            self.log_refusals(cause);
        }
    }

    /// The same without a line in the log; whether one is due.
    fn retract(&self, epoch: u64, cause: &Cause) -> bool {
        self.change(|status| {
            // Under the lock of the status, and only if it is still this connection. Otherwise a
            // call that timed out on the last one, and is late with saying so, would withdraw its
            // successor:
            //
            //     call on 1 times out, supervisor publishes 2, call withdraws whatever is published
            self.is_published(epoch).then(|| {
                self.link.store(None);
                status.enter(Phase::Open, Some(cause.clone()))
            })
        })
    }

    /// Applies a change that is not a supervisor's; whether it is worth a line.
    fn change(&self, change: impl FnOnce(&mut Status) -> Option<bool>) -> bool {
        let mut noteworthy = false;
        self.modify(|status| {
            let changed = change(status);
            noteworthy = changed.unwrap_or_default();
            changed.is_some()
        });
        noteworthy
    }

    /// Changes the status under its lock; whether it has changed, as `change` says.
    fn modify(&self, change: impl FnOnce(&mut Status) -> bool) -> bool {
        let mut entered = None;
        let is_modified = self.status.send_if_modified(|status| {
            let former = status.phase;
            let is_modified = change(status);
            entered = Some(status.phase).filter(|phase| *phase != former);
            is_modified
        });
        if let (Some(observer), Some(state)) = (&self.observer, entered) {
            observer.send(Observation::Breaker { server: self.server.clone(), state });
        }
        is_modified
    }

    fn raise(&self, alarm: u8) {
        self.alarms.fetch_or(alarm, AcqRel);
        // A supervisor that sleeps without a deadline gets one, or nobody would notice that its
        // runtime is not driven. One that has a deadline keeps it: an alarm must not put it off.
        let soon = self.after(LENIENCE);
        _ = self.heartbeat_due.compare_exchange(NEVER, soon, AcqRel, Relaxed);
        self.wake.notify_one();
    }

    fn after(&self, delay: Duration) -> u64 {
        u64::try_from((self.created.elapsed() + delay).as_millis()).unwrap_or(NEVER)
    }

    fn log_refusals(&self, cause: &Cause) {
        self.failures.tell(&self.server, cause);
    }
}
