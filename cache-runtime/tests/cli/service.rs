//! The service whose cache is looked at.

use std::time::Duration;

use cache_runtime::{Cache, cached, write_behind};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;
use tokio::sync::oneshot;

pub(crate) const PASSWORD: &str = "correct-horse";
pub(crate) const NAMESPACE: &str = "shop";
/// What only those may see who ask for it.
pub(crate) const CONTENT: &str = "a card number";

#[cached(key = "member:<org>:<id>", ttl = "1h", tags = ["org:<org>"])]
pub(crate) async fn member(org: &str, id: u64) -> String {
    _ = (org, id);
    CONTENT.to_owned()
}

#[cached(key = "price:<sku>", ttl = "1h")]
pub(crate) async fn price(sku: &str) -> u64 {
    _ = sku;
    1
}

/// It takes none but these. Of a sink that takes nothing it is not known which item is at fault.
const FINE: &str = "fine";

#[write_behind(queue = "logins", key = "<login>", partitions = 1, max_attempts = 1)]
pub(crate) async fn save_logins(logins: Vec<String>) -> Result<(), std::io::Error> {
    // As long as it takes to reach a database that is there.
    tokio::task::yield_now().await;
    if logins.iter().all(|login| login.starts_with(FINE)) {
        return Ok(());
    }
    Err(std::io::Error::other("the table is gone\u{1b}[2J"))
}

pub(crate) async fn server() -> RedisServer {
    RedisServer::builder().password(PASSWORD).start().await
}

/// The cache of the service.
pub(crate) fn cache(url: &str) -> Cache {
    let patient = Cache::builder().namespace(NAMESPACE).budget(Duration::from_secs(60));
    patient.connect(url).unwrap()
}

/// Fills the cache with two members of one organization, one of another, and ten prices.
pub(crate) async fn filled(url: &str) -> Cache {
    let cache = cache(url);
    cache
        .scope(async {
            for (org, id) in [("acme", 7), ("acme", 8), ("other", 7)] {
                member(org, id).await;
            }
            for sku in 0..10 {
                price(&format!("sku-{sku}")).await;
            }
        })
        .await;
    assert!(has_member(&cache, "acme", 7).await);
    cache
}

pub(crate) async fn has_member(cache: &Cache, org: &str, id: u64) -> bool {
    cache.get(&member_key(org, &id)).await.unwrap().is_some()
}

/// Makes dead letters of these, and nothing else.
pub(crate) async fn bury(cache: &Cache, logins: &[&str]) {
    let (stop, stopped) = oneshot::channel();
    let buried = async {
        let queue = save_logins_queue();
        for login in logins {
            queue.push(format!("{FINE} {login}")).await.unwrap();
            queue.push((*login).to_owned()).await.unwrap();
        }
        let worker = tokio::spawn(save_logins_worker().run(async { _ = stopped.await }));
        let letters = logins.len() as u64;
        eventually!({
            let length = queue.length().await.unwrap();
            (length.dead_letters, length.depth()) == (letters, 0)
        });
        stop.send(()).unwrap();
        worker.await.unwrap();
    };
    cache.scope(buried).await;
}
