//! While Redis cannot be reached.

use std::sync::{Arc, Mutex};

use cache_runtime::{Batch, Cache, ErrorKind, write_behind};
use cache_testing::redis::RedisServer;

use crate::stage::View;

type Seen = Arc<Mutex<Vec<(String, bool)>>>;

#[write_behind(queue = "direct", key = "<view.page>", push_timeout = "100ms")]
async fn save_directly(seen: Seen, views: Batch<View>) -> Result<(), String> {
    let has_position = views.position().is_some();
    for view in views.into_items() {
        if view.page == "bad" {
            return Err("bad page".to_owned());
        }
        seen.lock().unwrap().push((view.page, has_position));
    }
    Ok(())
}

#[write_behind(queue = "no-direct", on_unavailable = "error", push_timeout = "100ms")]
async fn save_never_directly(seen: Seen, views: Vec<View>) {
    seen.lock().unwrap().extend(views.into_iter().map(|view| (view.page, false)));
}

/// A cache whose server is down, and stays so.
fn without_server() -> (Cache, RedisServer) {
    let server = RedisServer::builder().down();
    (Cache::connect(&server.url()).unwrap(), server)
}

#[tokio::test]
async fn an_item_goes_to_the_sink_of_a_worker_in_this_process() {
    let (cache, _server) = without_server();
    let work = async {
        let seen = Seen::default();
        let worker = save_directly_worker(Arc::clone(&seen));
        save_directly_queue().push(View::of("a")).await.unwrap();
        assert_eq!(*seen.lock().unwrap(), [("a".to_owned(), false)], "there is no position");
        let refused = save_directly_queue().push(View::of("bad")).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Sink);
        assert!(refused.to_string().contains("bad page"), "{refused}");
        let stats = cache.stats();
        let stats = stats.queue("direct").unwrap();
        assert_eq!((stats.direct, stats.pushed, stats.failed), (1, 0, 1));
        drop(worker);
        let refused = save_directly_queue().push(View::of("b")).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        assert!(refused.to_string().contains("no worker"), "{refused}");
    };
    cache.scope(work).await;
}

#[tokio::test]
async fn an_error_is_returned_where_that_is_asked_for() {
    let (cache, _server) = without_server();
    let work = async {
        let seen = Seen::default();
        let _worker = save_never_directly_worker(Arc::clone(&seen));
        let refused = save_never_directly_queue().push(View::of("a")).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        assert!(seen.lock().unwrap().is_empty());
    };
    cache.scope(work).await;
}

#[tokio::test]
async fn without_a_cache_every_item_goes_to_the_sink() {
    let work = async {
        let seen = Seen::default();
        let _worker = save_directly_worker(Arc::clone(&seen));
        save_directly_queue().push(View::of("a")).await.unwrap();
        assert_eq!(*seen.lock().unwrap(), [("a".to_owned(), false)]);
    };
    Cache::disabled().scope(work).await;
}
