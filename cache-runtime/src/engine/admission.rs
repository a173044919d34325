//! Limits on concurrent loads.
//!
//! When its cache is gone, an origin gets the whole load of its readers, which may be twenty times
//! what it is used to. A limit on concurrent loads is the difference between slow and dead: the
//! origin works at its own pace, and further loads wait in line, first come, first served, or are
//! refused if the function can return that.
//!
//! A load inside a load that has a place shares that place: waiting for a place while holding one
//! could deadlock.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::engine::Base;
use crate::error::{Error, ErrorKind};
use crate::policy::Callsite;

tokio::task_local! {
    /// Whether a load runs that has a place.
    static HAS_PLACE: bool;
}

/// Whether the task is in a load that has a place.
pub(crate) fn is_inside() -> bool {
    HAS_PLACE.try_with(|&has| has).unwrap_or(false)
}

/// Polls a load that has a place.
pub(crate) fn poll_inside<T>(poll: impl FnOnce() -> T) -> T {
    HAS_PLACE.sync_scope(true, poll)
}

/// The places of one load; given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct Places {
    function: Option<OwnedSemaphorePermit>,
    cache: Option<OwnedSemaphorePermit>,
}

impl Places {
    /// Whether the limits of the function or of the cache may make a load wait.
    pub(crate) fn are_limited(cache: &Base, callsite: &'static Callsite) -> bool {
        !is_inside() && (cache.recorder().places(callsite).is_some() || cache.places().is_some())
    }

    pub(crate) fn any(&self) -> bool {
        self.function.is_some() || self.cache.is_some()
    }

    /// Waits for the places of one load. If the load `can_refuse`, no longer than its function
    /// says.
    pub(crate) async fn take(
        cache: &Base,
        callsite: &'static Callsite,
        can_refuse: bool,
    ) -> Result<Self, Error> {
        if !Self::are_limited(cache, callsite) {
            return Ok(Self::default());
        }
        let (function, all) = (cache.recorder().places(callsite), cache.places());
        let take = async { Self { function: take(function).await, cache: take(all).await } };
        let limit = callsite.policy().shed_after.filter(|_| can_refuse);
        let Some(limit) = limit else { return Ok(take.await) };
        timeout(limit, take).await.map_err(|_| {
            let message = "too many loads are under way, and none ended in time";
            Error::new(ErrorKind::Overloaded, message)
        })
    }
}

/// A place, where places are counted. None of the semaphores is ever closed.
async fn take(places: Option<&Arc<Semaphore>>) -> Option<OwnedSemaphorePermit> {
    match places {
        Some(places) => Arc::clone(places).acquire_owned().await.ok(),
        None => None,
    }
}
