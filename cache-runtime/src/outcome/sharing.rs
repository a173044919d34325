//! How the error of a failed load reaches the callers that waited for it.

use std::any::Any;
use std::sync::Arc;

use super::Probe;

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

impl<T, E: Clone + Send + Sync + 'static> Probe<Result<T, E>> {
    /// Each waiter gets a clone of the error.
    pub const SHARING: Sharing<Result<T, E>> = Sharing {
        share: |result| result.as_ref().err().map(|error| Arc::new(error.clone()) as SharedError),
        unshare: |error| error.downcast_ref::<E>().map(|error| Err(error.clone())),
    };
}

/// What [`Probe`] answers where errors cannot be cloned: each waiter loads for itself.
pub trait Unshared<R> {
    /// Nothing is shared.
    const SHARING: Sharing<R> = Sharing { share: |_| None, unshare: |_| None };
}

impl<R> Unshared<R> for Probe<R> {}
