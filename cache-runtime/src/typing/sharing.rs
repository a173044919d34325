//! How the error of a failed load reaches the callers that waited for it.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::error::SharedError;
use crate::support::panic::guarded;
use crate::typing::Probe;

/// What several callers get a copy of.
#[expect(unreachable_pub, reason = "of a trait that expansions use")]
pub type Shared = Arc<dyn Any + Send + Sync>;

/// How an error reaches the callers that waited for the load that failed.
pub struct Sharing<R> {
    /// What they get, and what its own caller has from now on.
    pub(crate) share: fn(R) -> (R, Option<Shared>),
    pub(crate) unshare: fn(&Shared) -> Option<R>,
}

impl<R> Sharing<R> {
    /// Each waiter loads for itself.
    pub(crate) const NONE: Self = Self { share: |result| (result, None), unshare: |_| None };
}

impl<R> Clone for Sharing<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Sharing<R> {}

// Of what is true of an error the first counts: each has one reference less than the one before,
// and so is tried later.

/// Errors that can be cloned.
pub trait SharesClones<R> {
    /// Each waiter gets a clone.
    fn sharing(self) -> Sharing<R>;
}

impl<T, E: Clone + Send + Sync + 'static> SharesClones<Result<T, E>> for &&&&Probe<Result<T, E>> {
    fn sharing(self) -> Sharing<Result<T, E>> {
        Sharing {
            share: |result| {
                let clone = result.as_ref().err().and_then(|error| guarded(|| error.clone()));
                let clone = clone.map(|error| Arc::new(error) as Shared);
                (result, clone)
            },
            unshare: |error| error.downcast_ref::<E>().map(|error| Err(error.clone())),
        }
    }
}

/// Errors that can be made from one that all callers hold.
pub trait SharesError<R> {
    /// Each caller gets one.
    fn sharing(self) -> Sharing<R>;
}

/// The same for what can be seen as an error.
pub trait SharesByRef<R> {
    /// Each caller gets one.
    fn sharing(self) -> Sharing<R>;
}

/// The same for what is no error, and says something.
pub trait SharesText<R> {
    /// Each caller gets one.
    fn sharing(self) -> Sharing<R>;
}

/// Has all callers hold the error; `hold` makes that of it.
fn held<T, E: From<SharedError>>(
    result: Result<T, E>,
    hold: fn(E) -> SharedError,
) -> (Result<T, E>, Option<Shared>) {
    match result {
        Ok(value) => (Ok(value), None),
        Err(error) => {
            let error = hold(error);
            (Err(error.clone().into()), Some(Arc::new(error)))
        }
    }
}

fn unheld<T, E: From<SharedError>>(error: &Shared) -> Option<Result<T, E>> {
    error.downcast_ref::<SharedError>().map(|error| Err(error.clone().into()))
}

impl<T, E> SharesError<Result<T, E>> for &&&Probe<Result<T, E>>
where
    E: From<SharedError> + Error + Send + Sync + 'static,
{
    fn sharing(self) -> Sharing<Result<T, E>> {
        Sharing { share: |result| held(result, SharedError::of), unshare: unheld }
    }
}

impl<T, E> SharesByRef<Result<T, E>> for &&Probe<Result<T, E>>
where
    E: From<SharedError>
        + AsRef<dyn Error + Send + Sync + 'static>
        + fmt::Debug
        + fmt::Display
        + Send
        + Sync
        + 'static,
{
    fn sharing(self) -> Sharing<Result<T, E>> {
        Sharing { share: |result| held(result, SharedError::by_ref), unshare: unheld }
    }
}

impl<T, E> SharesText<Result<T, E>> for &Probe<Result<T, E>>
where
    E: From<SharedError> + fmt::Debug + fmt::Display + Send + Sync + 'static,
{
    fn sharing(self) -> Sharing<Result<T, E>> {
        Sharing { share: |result| held(result, SharedError::text), unshare: unheld }
    }
}

/// What [`Probe`] answers where none of that is so: each waiter loads for itself.
pub trait Unshared<R> {
    /// Nothing is shared.
    fn sharing(self) -> Sharing<R>;
}

impl<R> Unshared<R> for Probe<R> {
    fn sharing(self) -> Sharing<R> {
        Sharing::NONE
    }
}
