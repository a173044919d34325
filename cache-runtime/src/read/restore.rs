//! How a search, which knows only bytes, has them turned into the result of the call by its poller,
//! which knows the types.
//!
//! The search is a future that must not hold a reference to the types of the call while it waits
//! for the store: it would be `Send` only if they are. So it puts what is to be restored into a
//! [`RestoreChannel`] and returns `Pending`, and [`RestoreChannel::poll`] restores it and polls the
//! search again, all within one poll of the call.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::codec::Codec;
use crate::policy::FINGERPRINT;
use crate::read::call::ReadCall;
use crate::read::steps::Steps;
use crate::record::Value;
use crate::support::panic::guarded;
use crate::typing::Shared;

/// What the result of a call can be made from.
#[derive(Debug)]
pub(in crate::read) enum Source {
    /// The payload of a value's record.
    Payload(Value, Codec),
    /// The payload of a value's record that a call of this alias has found.
    OfAlias(Value, Codec, Box<ReadCall>),
    /// The payload of an error's record, without the fingerprint of the function at its beginning.
    ErrorPayload(Value, Codec),
    /// A copy of the value that another call has loaded.
    Copy(Shared),
    /// The error of another call.
    Error(Shared),
}

impl Source {
    /// Whether this has become the result of the call. If the code of the type panics, it has not.
    pub(in crate::read) fn restore(&self, steps: &mut dyn Steps) -> bool {
        guarded(|| match self {
            Self::Payload(value, codec) => steps.decode(value.payload(), *codec),
            Self::OfAlias(value, codec, alias) => {
                steps.decode(value.payload(), *codec) && alias.accepts(value, steps.entity())
            }
            Self::ErrorPayload(value, codec) => {
                let error = value.payload().get(FINGERPRINT..);
                error.is_some_and(|error| steps.decode_error(error, *codec))
            }
            Self::Copy(value) => steps.unshare(value),
            Self::Error(error) => steps.unshare_error(error),
        })
        .unwrap_or(false)
    }
}

/// A channel with room for one request, between a search and its poller. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(in crate::read) struct RestoreChannel(Arc<Mutex<Slot>>);

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Request(Source),
    Answer(bool),
}

impl RestoreChannel {
    /// Has a source restored; whether it has become the result. Called by the search.
    pub(in crate::read) async fn request(&self, source: Source) -> bool {
        *self.slot() = Slot::Request(source);
        // No waker is registered: the poller polls again as soon as it has put the answer here.
        poll_fn(|_| {
            let mut slot = self.slot();
            match std::mem::take(&mut *slot) {
                Slot::Answer(answer) => Poll::Ready(answer),
                other => {
                    *slot = other;
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Polls the search, and restores what it requests.
    pub(in crate::read) fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        steps: &mut dyn Steps,
        mut search: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        loop {
            let ended = search(cx);
            let Slot::Request(source) = std::mem::take(&mut *self.slot()) else {
                return ended;
            };
            if ended.is_ready() {
                return ended;
            }
            let answer = source.restore(steps);
            *self.slot() = Slot::Answer(answer);
        }
    }

    /// No code that may panic runs under this lock.
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
