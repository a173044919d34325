//! What a server must permit.

use std::sync::{Arc, Mutex};

use cache_fixtures::patient;
use cache_runtime::{Batch, write_behind};
use cache_testing::redis::RedisServer;

use crate::stage::{Running, View, settled};

const GUIDE: &str = include_str!("../../cache-runtime/src/doc/writing_behind.md");

/// The commands that the guide lists.
fn listed() -> String {
    let (_, list) = GUIDE.split_once("```text\n").unwrap();
    list.split_once("```").unwrap().0.split_whitespace().collect::<Vec<_>>().join(" ")
}

type Seen = Arc<Mutex<Vec<String>>>;

#[write_behind(queue = "permitted", key = "<view.page>", linger = "1ms", max_attempts = 1)]
async fn save_views(seen: Seen, views: Batch<View>) -> Result<(), String> {
    let pages: Vec<_> = views.into_iter().map(|view| view.item.page).collect();
    if pages.iter().any(|page| page == "bad") && seen.lock().unwrap().is_empty() {
        return Err("bad page".to_owned());
    }
    seen.lock().unwrap().extend(pages);
    Ok(())
}

#[tokio::test]
async fn the_commands_that_the_guide_lists_are_all_that_a_queue_needs() {
    let rules = format!("on >secret ~@stage:wb:{{* resetchannels -@all {}", listed());
    let server = RedisServer::builder().user("app", &rules).start().await;
    let url = server.url_as("app", "secret");
    let cache = patient().namespace("stage").connect(&url).unwrap();
    let work = async {
        let (seen, queue) = (Seen::default(), save_views_queue());
        queue.push(View::of("bad")).await.unwrap();
        let running = Running::start(save_views_worker(Arc::clone(&seen)));
        settled(&queue).await;
        assert_eq!(queue.dead_letters(10).await.unwrap().len(), 1);
        seen.lock().unwrap().push("mended".to_owned());
        assert_eq!(queue.redrive().await.unwrap(), 1);
        settled(&queue).await;
        running.stop().await;
        assert_eq!(*seen.lock().unwrap(), ["mended", "bad"]);
    };
    cache.scope(work).await;
    let stats = cache.stats();
    assert_eq!(stats.queue("permitted").unwrap().direct, 0);
}
