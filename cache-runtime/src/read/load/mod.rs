//! The second stage of a call: runs the body, and renews the lease meanwhile.

pub(crate) mod body;
pub(crate) mod desk;
pub(crate) mod finish;
pub(crate) mod outcome;
pub(crate) mod running;
pub(crate) mod steps;

use std::task::{Context, Poll};

use self::outcome::{Attempt, Ended, Loaded};
use self::running::Running;
use self::steps::Steps;
use crate::engine::admission::{self, Places};
use crate::read::driver::{Boxed, Stage};
use crate::read::lookup::Entry;

/// A load before its end.
pub(super) struct Loading {
    entry: Entry,
    attempt: Attempt,
    running: Running,
    /// Renews the lease, where there is one. Made once the body is waited for.
    renewal: Option<Boxed<()>>,
}

impl Loading {
    pub(super) fn new(entry: Entry, attempt: Attempt) -> Box<Self> {
        let running = Running::new(entry.cache.clone(), entry.callsite);
        Box::new(Self { entry, attempt, running, renewal: None })
    }

    /// Begins, when there is a place for it.
    pub(super) fn place(self: Box<Self>, steps: &mut dyn Steps) -> Stage {
        if !Places::are_limited(&self.entry.cache, self.entry.callsite) {
            return self.start(Places::default(), steps);
        }
        let (cache, callsite) = (self.entry.cache.clone(), self.entry.callsite);
        let can_refuse = steps.can_refuse();
        let place = async move { Places::take(&cache, callsite, can_refuse).await };
        Stage::Place(self, Box::pin(place))
    }

    pub(super) fn start(self: Box<Self>, places: Places, steps: &mut dyn Steps) -> Stage {
        self.running.start();
        steps.start();
        Stage::Body(self, places)
    }

    /// Polls the body, and renews the lease meanwhile.
    pub(super) fn poll(
        &mut self,
        places: &Places,
        cx: &mut Context<'_>,
        steps: &mut dyn Steps,
    ) -> Poll<()> {
        let ended = if places.any() {
            admission::poll_inside(|| steps.poll_body(cx))
        } else {
            steps.poll_body(cx)
        };
        if ended.is_pending() {
            if self.renewal.is_none()
                && let Some(lease) = self.attempt.lease()
            {
                self.renewal = Some(Box::pin(lease.renewal().keep()));
            }
            if let Some(renewal) = &mut self.renewal {
                _ = renewal.as_mut().poll(cx);
            }
        }
        ended
    }

    /// Looks at the result.
    pub(super) fn end(self, steps: &mut dyn Steps) -> Stage {
        let Self { entry, attempt, running, renewal } = self;
        // A renewal that is on its way counts as sent.
        drop(renewal);
        let took = running.end(steps.is_value());
        match attempt.end(&mut Loaded { entry: &entry, steps, took }) {
            Ended::Done => Stage::Over,
            Ended::Left(ending) => {
                let callsite = entry.callsite;
                Stage::End(entry, ending.boxed(callsite))
            }
        }
    }
}
