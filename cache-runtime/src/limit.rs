//! Limits on concurrent loads.
//!
//! When its cache is gone, an origin gets the whole load of its readers, which may be twenty times what it is used
//! to. A limit on concurrent loads is the difference between slow and dead: the origin works at its own pace, and
//! further loads wait in line, first come, first served, or are refused if the function can return that.
//!
//! A load inside a load that has a place shares that place: waiting for a place while holding one could deadlock.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::cache::Cache;
use crate::callsite::Callsite;
use crate::error::{Error, ErrorKind};
use crate::stats::Event;

tokio::task_local! {
    /// Whether a load runs that has a place.
    static HAS_PLACE: bool;
}

/// Runs a body when the limits of the function and of the cache leave a place for it. If the wait times out first,
/// makes the result with `refuse`; without `refuse` the wait never times out.
#[expect(clippy::manual_async_fn, reason = "an `async fn` would hold the body's arguments twice")]
pub(crate) fn bounded<B: Future>(
    cache: &Cache,
    callsite: &'static Callsite,
    refuse: Option<fn(Error) -> B::Output>,
    body: impl FnOnce() -> B,
) -> impl Future<Output = B::Output> {
    async move {
        let inside = HAS_PLACE.try_with(|&has| has).unwrap_or(false);
        let places = match Places::bounds(cache, callsite) {
            // Boxed: most loads are not limited, and their futures stay small.
            Some(bounds) if !inside => {
                let limit = refuse.and(callsite.policy().shed_after);
                Box::pin(Places::take(cache, callsite, bounds, limit)).await
            }
            _ => Ok(Places::default()),
        };
        let places = match (places, refuse) {
            (Ok(places), _) => places,
            (Err(overloaded), Some(refuse)) => return refuse(overloaded),
            // Not reached: without `refuse` there is no limit to the wait.
            (Err(_), None) => Places::default(),
        };
        HAS_PLACE.scope(inside || places.any(), body()).await
    }
}

/// The places of one load; given back when dropped.
#[derive(Debug, Default)]
struct Places<'a> {
    function: Option<SemaphorePermit<'a>>,
    cache: Option<SemaphorePermit<'a>>,
}

/// The places of a function's loads and those of all loads of a cache, where they are counted.
type Bounds<'a> = (Option<&'a Semaphore>, Option<&'a Semaphore>);

impl<'a> Places<'a> {
    fn any(&self) -> bool {
        self.function.is_some() || self.cache.is_some()
    }

    fn bounds(cache: &'a Cache, callsite: &'static Callsite) -> Option<Bounds<'a>> {
        match (cache.recorder().places(callsite), cache.places()) {
            (None, None) => None,
            bounds => Some(bounds),
        }
    }

    async fn take(
        cache: &'a Cache,
        callsite: &'static Callsite,
        (function, all): Bounds<'a>,
        limit: Option<Duration>,
    ) -> Result<Self, Error> {
        let take = async { Self { function: take(function).await, cache: take(all).await } };
        let Some(limit) = limit else { return Ok(take.await) };
        timeout(limit, take).await.map_err(|_| {
            cache.recorder().count(callsite, Event::Shed);
            let message = "too many loads are under way, and none ended in time";
            Error::new(ErrorKind::Overloaded, message)
        })
    }
}

/// A place, where places are counted. None of the semaphores is ever closed.
async fn take(places: Option<&Semaphore>) -> Option<SemaphorePermit<'_>> {
    match places {
        Some(places) => places.acquire().await.ok(),
        None => None,
    }
}
