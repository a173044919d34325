//! Where items go in the end.

pub(crate) mod batch;
pub(crate) mod error;
pub(crate) mod merge;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::queue::{Batch, SinkError};

/// What a sink can return: whether it succeeded.
#[diagnostic::on_unimplemented(
    message = "a sink returns `Result<(), E>` where `E: Display`, or nothing",
    label = "returned from the sink"
)]
pub trait SinkResult {
    /// What it says of its failure, if it failed.
    fn into_result(self) -> Result<(), SinkError>;
}

impl SinkResult for () {
    fn into_result(self) -> Result<(), SinkError> {
        Ok(())
    }
}

impl<E: fmt::Display + 'static> SinkResult for Result<(), E> {
    fn into_result(self) -> Result<(), SinkError> {
        self.map_err(SinkError::of)
    }
}

/// What can be put into a queue.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be put into a queue",
    label = "items are stored and read back",
    note = "derive or implement `serde::Serialize` and `serde::Deserialize` for it",
    note = "it must come back from serde as it was: an item with a part that serde skips or \
        changes is refused"
)]
pub trait Item: Serialize + DeserializeOwned {}

// Else rustc would tell which of serde's traits is missing, in serde's words.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Item for T {}

type Delivery = Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send>>;

/// An annotated function with everything but its last argument.
pub(crate) struct Sink<T>(Arc<dyn Fn(Batch<T>) -> Delivery + Send + Sync>);

impl<T> Clone for Sink<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: 'static> Sink<T> {
    pub(crate) fn new<E, F, D>(environment: E, function: F) -> Self
    where
        E: Clone + Send + Sync + 'static,
        F: Fn(E, Batch<T>) -> D + Send + Sync + 'static,
        D: Future<Output: SinkResult> + Send + 'static,
    {
        Self(Arc::new(move |batch| {
            let delivery = function(environment.clone(), batch);
            Box::pin(async move { delivery.await.into_result() })
        }))
    }

    /// Delivers a batch. A panic is an error like any other: it may be one item's fault.
    pub(crate) async fn deliver(&self, batch: Batch<T>) -> Result<(), SinkError> {
        match catch_unwind(AssertUnwindSafe(|| (self.0)(batch))) {
            Ok(delivery) => Unwinding(delivery).await,
            Err(panic) => Err(describe(&*panic)),
        }
    }
}

impl<T> fmt::Debug for Sink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}

struct Unwinding(Delivery);

impl Future for Unwinding {
    type Output = Result<(), SinkError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let delivery = self.0.as_mut();
        // After a panic it is not polled again.
        catch_unwind(AssertUnwindSafe(|| delivery.poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Err(describe(&*panic))))
    }
}

fn describe(panic: &(dyn Any + Send)) -> SinkError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("with something that is no text");
    SinkError::unspecified(format_args!("the sink panicked: {text}"))
}
