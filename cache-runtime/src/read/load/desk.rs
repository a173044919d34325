//! How a search, which knows bytes, asks whoever polls it, who knows the types.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::codec::Codec;
use crate::policy::FINGERPRINT;
use crate::read::load::steps::Steps;
use crate::record::Value;
use crate::support::panic::guarded;
use crate::typing::Shared;

/// Whether something becomes the result of the call.
#[derive(Debug)]
pub(in crate::read) enum Question {
    /// The payload of a value.
    Decode(Value, Codec),
    /// The payload of an error, behind the function that it belongs to.
    DecodeError(Value, Codec),
    /// A copy of what another call has loaded.
    Unshare(Shared),
    /// The error of another call.
    UnshareError(Shared),
}

impl Question {
    /// The answer. A panic of the type's own code is a no.
    pub(in crate::read) fn answer(&self, steps: &mut dyn Steps) -> bool {
        guarded(|| match self {
            Self::Decode(value, codec) => steps.decode(value.payload(), *codec),
            Self::DecodeError(value, codec) => {
                let error = value.payload().get(FINGERPRINT..);
                error.is_some_and(|error| steps.decode_error(error, *codec))
            }
            Self::Unshare(value) => steps.unshare(value),
            Self::UnshareError(error) => steps.unshare_error(error),
        })
        .unwrap_or(false)
    }
}

/// Where one search puts its questions. Clones are one.
#[derive(Clone, Debug, Default)]
pub(in crate::read) struct Desk(Arc<Mutex<Paper>>);

/// What lies there.
#[derive(Debug, Default)]
enum Paper {
    #[default]
    Nothing,
    Question(Question),
    Answer(bool),
}

impl Desk {
    /// Asks, from inside of the search.
    pub(in crate::read) async fn ask(&self, question: Question) -> bool {
        *self.paper() = Paper::Question(question);
        // Whoever polls this polls it again once there is an answer: nobody need be woken.
        poll_fn(|_| {
            let mut paper = self.paper();
            match std::mem::take(&mut *paper) {
                Paper::Answer(answer) => Poll::Ready(answer),
                other => {
                    *paper = other;
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Polls the search, and answers what it asks.
    pub(in crate::read) fn attend<T>(
        &self,
        cx: &mut Context<'_>,
        steps: &mut dyn Steps,
        mut search: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        loop {
            let ended = search(cx);
            let Paper::Question(question) = std::mem::take(&mut *self.paper()) else {
                return ended;
            };
            if ended.is_ready() {
                return ended;
            }
            let answer = question.answer(steps);
            *self.paper() = Paper::Answer(answer);
        }
    }

    /// No code that may panic runs under this lock.
    fn paper(&self) -> MutexGuard<'_, Paper> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
