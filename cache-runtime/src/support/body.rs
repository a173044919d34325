//! The body of an annotated function, which runs at most once and only if the cache needs it.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// A body that runs once, inside the call that it belongs to.
    ///
    /// A named type and no `async` block: rustc follows the futures of nested calls to tell whether
    /// they are `Send` and gives up at 128 levels, of which an `async` block costs three.
    #[doc(hidden)]
    #[project = AttachedProjection]
    #[derive(Debug)]
    pub enum Attached<F, B> {
        Waiting { load: Option<F> },
        Running { #[pin] body: B },
        Over,
    }
}

impl<F, B> Attached<F, B> {
    /// A body whose future `load` makes when it is started.
    pub(crate) fn new(load: F) -> Self {
        Self::Waiting { load: Some(load) }
    }

    /// Makes the future, unless that was done before.
    pub(crate) fn start(mut self: Pin<&mut Self>)
    where
        F: FnOnce() -> B,
    {
        if let AttachedProjection::Waiting { load } = self.as_mut().project()
            && let Some(load) = load.take()
        {
            self.set(Self::Running { body: load() });
        }
    }

    /// Polls the future, and drops it as soon as it has ended.
    pub(crate) fn poll_body(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<B::Output>
    where
        B: Future,
    {
        let AttachedProjection::Running { body } = self.as_mut().project() else {
            return Poll::Pending;
        };
        let ended = body.poll(cx);
        if ended.is_ready() {
            self.set(Self::Over);
        }
        ended
    }
}
