//! The second stage of a call: runs the body, and renews the lease meanwhile.

mod alias;
pub(super) mod finish;
pub(super) mod mode;
pub(super) mod running;

use std::pin::Pin;
use std::task::{Context, Poll};

use self::finish::Finish;
use self::mode::{LoadMode, Loaded};
use self::running::Running;
use crate::engine::admission::{self, Places};
use crate::engine::report;
use crate::error::Error;
use crate::read::call::ReadCall;
use crate::read::steps::Steps;
use crate::support::trace::Trace;

/// A load before its end.
pub(super) struct Load {
    call: ReadCall,
    mode: LoadMode,
    running: Running,
    trace: Trace,
    /// Renews the lease, if there is one. Made when the body is first pending.
    renewal: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Load {
    pub(super) fn new(call: ReadCall, mode: LoadMode) -> Box<Self> {
        let running = Running::new(call.cache.clone(), call.callsite);
        Box::new(Self { call, mode, running, trace: Trace::default(), renewal: None })
    }

    /// Waits for a place among the concurrent loads. None if their number is not limited.
    pub(super) fn place(
        &self,
        can_refuse: bool,
    ) -> Option<impl Future<Output = Result<Places, Error>> + Send + 'static> {
        let ReadCall { cache, callsite, .. } = &self.call;
        Places::are_limited(cache, callsite).then(|| {
            let (cache, callsite) = (cache.clone(), *callsite);
            async move { Places::take(&cache, callsite, can_refuse).await }
        })
    }

    /// Starts the body.
    pub(super) fn start(&mut self, steps: &mut dyn Steps) {
        self.trace = Trace::load();
        self.running.start();
        steps.start();
    }

    /// Polls the body, and renews the lease meanwhile.
    pub(super) fn poll(
        &mut self,
        places: &Places,
        cx: &mut Context<'_>,
        steps: &mut dyn Steps,
    ) -> Poll<()> {
        let ended = self.trace.within(|| {
            if places.any() {
                admission::poll_inside(|| steps.poll_body(cx))
            } else {
                steps.poll_body(cx)
            }
        });
        if ended.is_pending() {
            if self.renewal.is_none()
                && let Some(lease) = self.mode.lease()
            {
                self.renewal = Some(Box::pin(lease.renewal().keep()));
            }
            if let Some(renewal) = &mut self.renewal {
                _ = renewal.as_mut().poll(cx);
            }
        }
        ended
    }

    /// Decides what becomes of the result. Returns the call, and what is left to do at the store.
    pub(super) fn end(self, steps: &mut dyn Steps) -> (ReadCall, Option<Finish>) {
        let Self { mut call, mode, running, trace, renewal } = self;
        // A renewal whose answer has not come counts as sent.
        drop(renewal);
        if !steps.is_value() {
            report::failed();
        }
        trace.failed((!steps.is_value()).then_some("error"));
        drop(trace);
        let took = running.end(steps.is_value());
        let finish = mode.end(&mut Loaded::new(&mut call, steps, took));
        (call, finish)
    }
}
