//! The requests of a `tower` server run in the scope of a cache.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;
use tower_layer::Layer;
use tower_service::Service;

use crate::cache::Cache;
use crate::engine::{Core, ambient};

/// A [`tower` layer](Layer) that runs each request in the [scope](Cache::scope) of a cache; made by
/// [`Cache::layer`].
///
/// A server runs each connection in a task of its own. Such a task is not in the scope of the one
/// that started the server, so `cache.scope(axum::serve(..))` does not reach the handlers. This
/// layer puts the scope inside, around each request:
///
/// ```
/// use axum::{Router, routing::get};
/// use cache_runtime::{Cache, cached};
///
/// #[cached(key = "greeting", ttl = "1h")]
/// async fn greeting() -> String {
///     "Hello!".to_owned()
/// }
///
/// fn app(cache: &Cache) -> Router {
///     Router::new().route("/", get(greeting)).layer(cache.layer())
/// }
/// # app(&Cache::in_memory());
/// ```
///
/// It fits every server made of `tower` services, such as those of axum and tonic. The guide
/// [`tests_and_servers`](mod@crate::guide::tests_and_servers) shows it in tests, and what to write
/// for actix-web.
///
/// # What is in the scope
///
/// The service's readiness, the call, and everything that its future does, also while it is
/// dropped. Not in the scope is what runs afterwards or elsewhere: a task that a handler spawns,
/// and the body of a response that is produced while it is sent. Pass the scope on there:
/// `tokio::spawn(Cache::current().scope(work))`.
#[derive(Clone, Debug)]
pub struct CacheLayer {
    cache: Cache,
}

impl CacheLayer {
    /// A layer that runs requests in the scope of `cache`.
    #[must_use]
    pub fn new(cache: &Cache) -> Self {
        Self { cache: cache.clone() }
    }
}

impl<S> Layer<S> for CacheLayer {
    type Service = CacheService<S>;

    fn layer(&self, inner: S) -> CacheService<S> {
        CacheService { inner, cache: self.cache.clone() }
    }
}

/// A service whose requests run in the scope of a cache; made by [`CacheLayer`].
#[derive(Clone, Debug)]
pub struct CacheService<S> {
    inner: S,
    cache: Cache,
}

impl<S: Service<R>, R> Service<R> for CacheService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = InScope<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        ambient::scope_sync(self.cache.core().clone(), || self.inner.poll_ready(cx))
    }

    fn call(&mut self, request: R) -> InScope<S::Future> {
        // A service may do its work here, before there is a future.
        let future = ambient::scope_sync(self.cache.core().clone(), || self.inner.call(request));
        InScope { future: ambient::scope(self.cache.core().clone(), future) }
    }
}

pin_project! {
    /// The future of a request in the scope of a cache.
    ///
    /// # Cancel safety
    ///
    /// That of the inner future, which is dropped inside the scope.
    #[must_use = "futures do nothing unless awaited"]
    pub struct InScope<F> {
        #[pin]
        future: TaskLocalFuture<Core, F>,
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

impl<F> fmt::Debug for InScope<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InScope").finish_non_exhaustive()
    }
}
