//! Leads a write through the protocol: fence, body, invalidation.
//!
//! Like the [driver](crate::read) of a read, this knows no types of the write, and is compiled
//! once: what the types are needed for is behind [`Steps`].

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::Error;
use crate::policy::Callsite;
use crate::support::panic::guarded;
use crate::write::begun::{Begun, Boxed};
use crate::write::guard::Guard;
use crate::write::pending::Doubt;
use crate::write::stamps::Stamps;
use crate::write::values::Values;
use crate::write::{Manner, Targets, Write};

/// What the protocol does with a write's body and its result, without knowing their types.
pub(super) trait Steps {
    /// Makes the body's future.
    fn start(&mut self);

    /// Polls it; its output becomes the result.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Whether the write is not begun without its fence.
    fn is_strict(&self) -> bool;

    /// Makes a refusal the result.
    fn refuse(&mut self, error: Error);

    /// Whether the write succeeded.
    fn is_success(&self) -> bool;

    /// Whether its failure leaves open what the database does.
    fn is_in_doubt(&mut self) -> bool;

    /// Adds the targets that only the result knows.
    fn add_late(&mut self, targets: &mut Targets);

    /// Makes the values for entries that are to be invalidated.
    fn make_values(&mut self, values: &mut Values);
}

/// A write on its way.
pub(super) struct Protocol {
    manner: Manner,
    callsite: &'static Callsite,
    names_cache: bool,
    stage: Stage,
}

enum Stage {
    Begin(Box<Write>),
    Fence(Boxed<Begun>),
    Body(Guard, Stamps, Option<Boxed<()>>),
    End(Boxed<()>),
    Over,
}

impl Protocol {
    pub(super) fn new(write: Write) -> Self {
        let Write { manner, callsite, names_cache, .. } = write;
        Self { manner, callsite, names_cache, stage: Stage::Begin(Box::new(write)) }
    }

    /// Goes on until the write has ended, and there is a result.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, steps: &mut dyn Steps) -> Poll<()> {
        loop {
            // If a stage panics, the write is over, and its guard ends the scope.
            let (stage, is_pending) = match mem::replace(&mut self.stage, Stage::Over) {
                Stage::Begin(write) => (Self::begin(*write, steps), false),
                Stage::Fence(mut fence) => match fence.as_mut().poll(cx) {
                    Poll::Ready(begun) => (Self::fenced(begun, steps), false),
                    Poll::Pending => (Stage::Fence(fence), true),
                },
                Stage::Body(guard, stamps, mut renewal) => {
                    match Self::poll_body(&guard, &mut renewal, cx, steps) {
                        Poll::Ready(()) => {
                            drop(renewal);
                            (self.end(guard, stamps, steps), false)
                        }
                        Poll::Pending => (Stage::Body(guard, stamps, renewal), true),
                    }
                }
                Stage::End(mut end) => match end.as_mut().poll(cx) {
                    Poll::Ready(()) => (Stage::Over, false),
                    Poll::Pending => (Stage::End(end), true),
                },
                Stage::Over => return Poll::Ready(()),
            };
            self.stage = stage;
            if is_pending {
                return Poll::Pending;
            }
        }
    }

    fn begin(mut write: Write, steps: &mut dyn Steps) -> Stage {
        if let Some(begun) = write.begun.take() {
            return Self::fenced(*begun, steps);
        }
        let mut begun = Begun::new(&write);
        Stage::Fence(Box::pin(async move {
            begun.fence_first(&mut write, Targets::default()).await;
            begun
        }))
    }

    fn fenced(begun: Begun, steps: &mut dyn Steps) -> Stage {
        if steps.is_strict()
            && let Some(refusal) = begun.refusal()
        {
            steps.refuse(refusal);
            return Stage::End(Box::pin(begun.guard.cancel()));
        }
        let Begun { mut guard, stamps, .. } = begun;
        guard.begin();
        steps.start();
        Stage::Body(guard, stamps, None)
    }

    /// Polls the body inside the scope, and renews the fences meanwhile.
    fn poll_body(
        guard: &Guard,
        renewal: &mut Option<Boxed<()>>,
        cx: &mut Context<'_>,
        steps: &mut dyn Steps,
    ) -> Poll<()> {
        let ended = guard.poll_inside(|| steps.poll_body(cx));
        if ended.is_pending() {
            let renew = || -> Boxed<()> { Box::pin(Arc::clone(guard).renew()) };
            _ = renewal.get_or_insert_with(renew).as_mut().poll(cx);
        }
        ended
    }

    /// Looks at the result.
    fn end(&self, mut guard: Guard, stamps: Stamps, steps: &mut dyn Steps) -> Stage {
        let Manner { hold_off, only_ok, in_transaction, .. } = self.manner;
        let (mut late, mut values) = (Targets::default(), guard.values().under(stamps));
        let mut nothing_written = false;
        if steps.is_success() {
            guard.ended(Doubt::None);
            steps.add_late(&mut late);
            // Inside an `after_commit` it is not known yet whether there will be a commit.
            if guard.commits() && guarded(|| steps.make_values(&mut values)).is_none() {
                values = guard.values();
            }
        } else {
            let in_doubt = guarded(|| steps.is_in_doubt()).unwrap_or(true);
            nothing_written = only_ok && !in_doubt;
            // Whether a transaction is committed does not depend on an error before that.
            let certain = only_ok || in_transaction;
            guard.ended(if in_doubt || (steps.is_strict() && !certain) {
                Doubt::Unknown
            } else if certain {
                Doubt::None
            } else {
                Doubt::Failed
            });
        }
        late.are_in(guard.cache(), self.names_cache, self.callsite);
        let unfit = values.take_unfit();
        Stage::End(Box::pin(async move {
            // Inside a transaction nothing is committed yet: what the result names is fenced too.
            let fence_late = in_transaction || !guard.owns();
            _ = guard.enrol(late, fence_late, hold_off).await;
            if guard.owns() && in_transaction {
                guard.leave();
            } else if nothing_written {
                guard.cancel().await;
            } else {
                guard.close(values).await;
            }
            if let Some(unfit) = unfit {
                unfit.tell();
            }
        }))
    }
}
