//! How the error of a failed load reaches the callers that waited for it.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::Probe;
use super::shared_error::SharedError as Words;

/// What several callers get a copy of.
#[expect(unreachable_pub, reason = "of a trait that expansions use")]
pub type Shared = Arc<dyn Any + Send + Sync>;
/// An error that several callers get a copy of.
pub(crate) type SharedError = Shared;

/// How an error reaches the callers that waited for the load that failed.
pub struct Sharing<R> {
    pub(crate) share: fn(&R) -> Option<SharedError>,
    pub(crate) unshare: fn(&SharedError) -> Option<R>,
}

impl<R> Clone for Sharing<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Sharing<R> {}

// Of what is true of an error the first counts: each has one reference less than the one before, and so is tried later.

/// Errors that can be cloned.
pub trait SharesClones<R> {
    /// Each waiter gets a clone.
    fn sharing(self) -> Sharing<R>;
}

impl<T, E: Clone + Send + Sync + 'static> SharesClones<Result<T, E>> for &&&&Probe<Result<T, E>> {
    fn sharing(self) -> Sharing<Result<T, E>> {
        Sharing {
            share: |result| {
                result.as_ref().err().map(|error| Arc::new(error.clone()) as SharedError)
            },
            unshare: |error| error.downcast_ref::<E>().map(|error| Err(error.clone())),
        }
    }
}

/// Errors that can be made from what another one says.
pub trait SharesWords<R> {
    /// Each waiter gets an error that says the same.
    fn sharing(self) -> Sharing<R>;
}

/// The same for errors that hold one.
pub trait SharesHeld<R> {
    /// Each waiter gets an error that says the same.
    fn sharing(self) -> Sharing<R>;
}

/// The same for errors of which no causes are known.
pub trait SharesText<R> {
    /// Each waiter gets an error that says the same.
    fn sharing(self) -> Sharing<R>;
}

fn reword<T, E: From<Words>>(error: &SharedError) -> Option<Result<T, E>> {
    error.downcast_ref::<Words>().map(|error| Err(error.clone().into()))
}

impl<T, E> SharesWords<Result<T, E>> for &&&Probe<Result<T, E>>
where
    E: From<Words> + Error + 'static,
{
    fn sharing(self) -> Sharing<Result<T, E>> {
        Sharing {
            share: |result| result.as_ref().err().map(|error| Arc::new(Words::of(error)) as _),
            unshare: reword,
        }
    }
}

impl<T, E> SharesHeld<Result<T, E>> for &&Probe<Result<T, E>>
where
    E: From<Words> + AsRef<dyn Error + Send + Sync + 'static>,
{
    fn sharing(self) -> Sharing<Result<T, E>> {
        Sharing {
            share: |result| {
                let error = result.as_ref().err()?.as_ref();
                Some(Arc::new(Words::of(error)) as _)
            },
            unshare: reword,
        }
    }
}

impl<T, E> SharesText<Result<T, E>> for &Probe<Result<T, E>>
where
    E: From<Words> + fmt::Display + fmt::Debug,
{
    fn sharing(self) -> Sharing<Result<T, E>> {
        Sharing {
            share: |result| {
                result.as_ref().err().map(|error| Arc::new(Words::without_source(error)) as _)
            },
            unshare: reword,
        }
    }
}

/// What [`Probe`] answers where none of that is so: each waiter loads for itself.
pub trait Unshared<R> {
    /// Nothing is shared.
    fn sharing(self) -> Sharing<R>;
}

impl<R> Unshared<R> for Probe<R> {
    fn sharing(self) -> Sharing<R> {
        Sharing { share: |_| None, unshare: |_| None }
    }
}
