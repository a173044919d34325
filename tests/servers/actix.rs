//! The recipe for actix-web. `apply_fn` is what `App::wrap_fn` is made of: both take a closure over
//! a request and the service inside.

use std::rc::Rc;

use actix_service::{Service, ServiceFactory, apply_fn_factory, fn_service};
use cache_runtime::{Cache, cached};

#[cached(key = "user:<id>", ttl = "1h", skip(owner))]
async fn user(owner: &str, id: u8) -> String {
    format!("{owner} {id}")
}

/// `Rc` as a sign that its futures are not `Send`, as are those of actix.
async fn serves_its_own_users(owner: &'static str) {
    let cache = Cache::in_memory();
    let handler = fn_service(move |id: u8| {
        let owner = Rc::new(owner);
        async move { Ok::<_, ()>(user(&owner, id).await) }
    });
    let scoped = cache.clone();
    let app = apply_fn_factory(handler, move |id: u8, service| scoped.scope(service.call(id)));
    let app = app.new_service(()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(app.call(1).await, Ok(format!("{owner} 1")));
    }
    let stats = cache.stats();
    let function = stats.function("actix::user").unwrap();
    assert_eq!((function.loads_ok, function.hits()), (1, 1));
}

#[tokio::test]
async fn each_application_has_its_own_cache() {
    tokio::join!(serves_its_own_users("ada"), serves_its_own_users("bob"));
}
