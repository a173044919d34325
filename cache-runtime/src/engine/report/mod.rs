//! What `outcome()` learns about the call that it is said of.
//!
//! The future of a call has no room for it, so calls without `outcome()` are no larger. Instead,
//! while the future of a call with it is being polled, there is a report in a thread-local, and
//! what happens in the call is written into that. Two things are kept out of it: what a body does,
//! because the functions that it calls are other calls, and what goes on in the background, because
//! that is polled by other tasks.

mod cache_status;
mod outcome;

use std::cell::Cell;
use std::time::Duration;

pub use self::outcome::Outcome;
use crate::metrics::{Ending, Event, MissReason, NotStored};

thread_local! {
    /// The report of the call whose future is being polled, if somebody asked for one.
    static REPORT: Cell<Option<Box<Report>>> = const { Cell::new(None) };
}

/// What is known so far of a call.
#[derive(Debug, Default)]
pub(crate) struct Report {
    outcome: Outcome,
    /// Of a value that was found, its age and how long it is fresh, in milliseconds.
    found: Option<Lifetime>,
    /// Of a value that was loaded.
    filling: Option<Lifetime>,
    /// Whether the call has ended: what comes after it is another one's.
    is_ended: bool,
}

/// Where a value is in its time to live.
#[derive(Clone, Copy, Debug)]
struct Lifetime {
    age: Duration,
    /// Negative if it is past its end.
    left_ms: i64,
}

impl Lifetime {
    /// That of the older one and of the one that ends first, where there are several.
    fn with(self, other: Option<Self>) -> Self {
        let other = other.unwrap_or(self);
        Self { age: self.age.max(other.age), left_ms: self.left_ms.min(other.left_ms) }
    }
}

impl Report {
    /// Polls a call that writes into this report.
    pub(crate) fn during<R>(this: &mut Option<Box<Self>>, poll: impl FnOnce() -> R) -> R {
        let outer = REPORT.replace(this.take());
        let _back = Back { report: this, outer };
        poll()
    }

    pub(crate) fn into_outcome(self) -> Outcome {
        self.outcome
    }
}

/// Takes the report back when the poll is over, also if it panics.
struct Back<'a> {
    report: &'a mut Option<Box<Report>>,
    outer: Option<Box<Report>>,
}

impl Drop for Back<'_> {
    fn drop(&mut self) {
        *self.report = REPORT.replace(self.outer.take());
    }
}

/// Whether somebody asked how the present call ends.
pub(crate) fn is_asked() -> bool {
    let report = REPORT.take();
    let is_asked = report.as_ref().is_some_and(|report| !report.is_ended);
    REPORT.set(report);
    is_asked
}

/// Polls a body, which is no part of the present call.
pub(crate) fn aside<R>(poll: impl FnOnce() -> R) -> R {
    Report::during(&mut None, poll)
}

/// The call has found a value, whose times are in milliseconds by the store's clock.
pub(crate) fn found(stored_at_ms: u64, fresh_until_ms: u64, now_ms: u64) {
    let age = Duration::from_millis(now_ms.saturating_sub(stored_at_ms));
    let ms = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
    let left_ms = ms(fresh_until_ms).saturating_sub(ms(now_ms));
    note(|report| report.found = Some(Lifetime { age, left_ms }.with(report.found)));
}

/// The call has missed.
pub(crate) fn missed(reason: MissReason) {
    note(|report| report.outcome.missed = Some(reason));
}

/// The call has loaded a value, which is to be stored for so long.
pub(crate) fn filling(ttl: Duration) {
    let left_ms = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
    let filling = Lifetime { age: Duration::ZERO, left_ms };
    note(|report| report.filling = Some(filling.with(report.filling)));
}

/// The body has run, and returned an error.
pub(crate) fn failed() {
    note(|report| report.outcome.not_stored = Some(NotStored::Failed));
}

/// Something was counted, which may say what became of the fill.
pub(crate) fn counted(event: Event) {
    if event == Event::Stored {
        note(|report| report.outcome.is_stored = true);
    } else if let Some(why) = NotStored::of(event) {
        note(|report| report.outcome.not_stored = Some(why));
    }
}

/// The entry has these tags.
pub(crate) fn tagged(tags: impl FnOnce() -> Vec<String>) {
    note(|report| report.outcome.tags = tags());
}

/// The call has ended, or one of the ids of a batch; `is_last` if no other one is left.
pub(crate) fn ended(ending: Ending, is_last: bool) {
    note(|report| {
        let Report { outcome, found, filling, .. } = report;
        outcome.end(ending, found.as_ref(), filling.as_ref());
        report.is_ended = is_last;
    });
}

fn note(write: impl FnOnce(&mut Report)) {
    let Some(mut report) = REPORT.take() else { return };
    if !report.is_ended {
        write(&mut report);
    }
    REPORT.set(Some(report));
}
