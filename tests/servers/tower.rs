//! The layer around services of every kind, such as those of tonic.

use std::convert::Infallible;
use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use cache_runtime::tower::CacheLayer;
use cache_runtime::{Cache, cached};
use tower_layer::Layer;
use tower_service::Service;

#[cached(key = "answer:<id>", ttl = "1h")]
async fn answer(id: u8) -> u8 {
    id
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Reads the first entry before it is ready, the second when it is called, and the third when its
/// future is polled.
#[derive(Default)]
struct Eager {
    warming: Option<Boxed<u8>>,
}

impl Service<u8> for Eager {
    type Response = u8;
    type Error = Infallible;
    type Future = Boxed<Result<u8, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        ready!(self.warming.get_or_insert_with(|| Box::pin(answer(1))).as_mut().poll(cx));
        self.warming = None;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u8) -> Self::Future {
        let called = tokio::spawn(Cache::current().scope(answer(2)));
        Box::pin(async move { Ok(called.await.unwrap() + answer(3).await + request) })
    }
}

#[tokio::test]
async fn readiness_call_and_future_are_in_the_scope() {
    let cache = Cache::in_memory();
    let mut service = CacheLayer::new(&cache).layer(Eager::default());
    std::future::poll_fn(|cx| service.poll_ready(cx)).await.unwrap();
    assert_eq!(service.call(10).await.unwrap(), 15);
    assert_eq!(cache.stats().function("tower::answer").unwrap().loads_ok, 3);
}

/// Reads when it is dropped.
struct Last(tokio::sync::mpsc::UnboundedSender<Cache>);

impl Drop for Last {
    fn drop(&mut self) {
        let _ = self.0.send(Cache::current());
    }
}

struct Endless(tokio::sync::mpsc::UnboundedSender<Cache>);

impl Service<()> for Endless {
    type Response = ();
    type Error = Infallible;
    type Future = Boxed<Result<(), Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        let last = Last(self.0.clone());
        Box::pin(async move {
            let _last = last;
            std::future::pending().await
        })
    }
}

/// A client that hangs up: what its request does at the end belongs to the same cache.
#[tokio::test]
async fn a_request_that_is_dropped_is_dropped_in_the_scope() {
    let cache = Cache::in_memory();
    let (sender, mut dropped) = tokio::sync::mpsc::unbounded_channel();
    let mut service = cache.layer().layer(Endless(sender));
    let mut request = Box::pin(service.call(()));
    let polled = std::future::poll_fn(|cx| Poll::Ready(request.as_mut().poll(cx).is_pending()));
    assert!(polled.await);
    drop(request);
    dropped.recv().await.unwrap().scope(answer(9)).await;
    assert_eq!(cache.stats().function("tower::answer").unwrap().loads_ok, 1);
}

/// What the routers of axum and the servers of tonic require of a layer around a service that has
/// it.
fn fits<L, S>(layer: &L, service: S) -> impl Clone + Send + Sync + 'static + use<L, S>
where
    L: Layer<S, Service: Service<u8, Future: Send> + Clone + Send + Sync + 'static>
        + Clone
        + Debug
        + Send
        + Sync
        + 'static,
{
    layer.clone().layer(service)
}

#[derive(Clone)]
struct Plain;

impl Service<u8> for Plain {
    type Response = u8;
    type Error = Infallible;
    type Future = Boxed<Result<u8, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u8) -> Self::Future {
        Box::pin(async move { Ok(answer(request).await) })
    }
}

#[test]
fn it_fits_around_every_service() {
    let _ = fits(&Cache::in_memory().layer(), Plain);
}
