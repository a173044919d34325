//! What the API answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cache_testing::barrier::Patience;
use cache_testing::redis::RedisServer;
use serde_json::Value;
use shop::{Cart, Product};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::task::JoinSet;
use visitors::client::Request;

use crate::process::{Process, Visitor};

/// As `.ci/run` does.
#[tokio::test]
async fn each_endpoint_answers() {
    let mut check = Command::new(env!("CARGO_BIN_EXE_shop"));
    let output = check.arg("--check").env_remove("CACHE_URL").output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn a_key_that_makes_no_sense_is_refused_with_the_reason() {
    let shop = Process::start(&[]).await;
    let mut client = shop.client().await;
    let long = format!("?key={}", "x".repeat(513));
    let which = "which key? Ask for /api/explain?key=product:7";
    let what = "a key has 1 to 512 bytes, as product:7, and no line breaks";
    for (query, reason) in
        [("", which), ("?id=7", which), ("?key=", what), ("?key=a%0Ab", what), (&long, what)]
    {
        let request = Request::new("GET", format!("/api/explain{query}"), None);
        let refused = client.send(&request).await;
        assert_eq!((refused.status, &*refused.body), (400, reason.as_bytes()), "{query}");
    }
    let before = client.tick().await.totals.requests;
    let nothing: Value = client.get("/api/explain?key=product:7").await;
    assert_eq!((&nothing["holds"], &nothing["key"]), (&"nothing".into(), &"product:7".into()));
    assert_eq!(client.tick().await.totals.requests, before, "no request of the shop");
    shop.finish().await;
}

#[tokio::test]
async fn absence_is_remembered_until_the_row_comes() {
    let shop = Process::start(&[]).await;
    let mut client = shop.client().await;
    assert_eq!(client.status("GET", "/api/products/2001", "").await, 404);
    let before = client.queries().await;
    assert_eq!(client.status("GET", "/api/products/2001", "").await, 404);
    assert_eq!(client.queries().await, before, "it was remembered");

    let lamp = r#"{"name":"New lamp","category":"lamps","cents":4900,"stock":3}"#;
    let id: i64 = client.ask("POST", "/api/products", lamp).await;
    assert_eq!(id, 2001);
    let product: Product = client.get("/api/products/2001").await;
    assert_eq!((product.cents, product.stock), (4900, 3));
    let lamps: Vec<Product> = client.get("/api/categories/lamps").await;
    assert!(lamps.contains(&product), "{lamps:?}");
    shop.finish().await;
}

/// Each of a few writers changes the price of a product of its own, in one of two processes that
/// share a database and a Redis. After each change, both processes answer with the new price
/// wherever it is shown, while others read and fill the cache again.
#[tokio::test]
async fn no_answer_is_stale_after_a_write() {
    let (server, directory) = (RedisServer::start().await, TempDir::new().unwrap());
    let database = directory.path().join("shop.db");
    let words = ["--database", database.to_str().unwrap(), "--query-us", "500"];
    let shops = Arc::new([
        Process::with(&server.url(), &words).await,
        Process::with(&server.url(), &words).await,
    ]);
    let over = Arc::new(AtomicBool::new(false));
    let (mut readers, mut writers) = (JoinSet::new(), JoinSet::new());
    // The newest lamps, which the first page of their list shows.
    for (number, product) in [1996, 1988, 1980].into_iter().enumerate() {
        writers.spawn(change_prices(Arc::clone(&shops), number % 2, product));
        readers.spawn(look_around(Arc::clone(&shops), number % 2, product, Arc::clone(&over)));
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    let looks: u64 = readers.join_all().await.into_iter().sum();
    assert!(looks > 0, "somebody has looked meanwhile");
    for shop in Arc::into_inner(shops).unwrap() {
        let hits = shop.client().await.tick().await.totals.calls.hit;
        assert!(hits > 0, "the cache was used");
        shop.finish().await;
    }
}

async fn change_prices(shops: Arc<[Process; 2]>, writer: usize, product: i64) {
    let mut clients = [shops[0].client().await, shops[1].client().await];
    let [single, search] =
        [format!("/api/products/{product}"), format!("/api/search?text=lamp%20{product}")];
    for cents in 1..=40 {
        let body = i64::to_string(&cents);
        assert_eq!(clients[writer].status("PUT", &format!("{single}/price"), &body).await, 200);
        delivered(&mut clients[writer]).await;
        for client in &mut clients {
            let seen: Product = client.get(&single).await;
            assert_eq!(seen.cents, cents);
            for list in ["/api/categories/lamps", &search] {
                let seen: Vec<Product> = client.get(list).await;
                let seen = seen.into_iter().find(|it| it.id == product);
                assert_eq!(seen.map(|it| it.cents), Some(cents), "{list}");
            }
        }
    }
}

async fn look_around(
    shops: Arc<[Process; 2]>,
    reader: usize,
    product: i64,
    over: Arc<AtomicBool>,
) -> u64 {
    let mut client = shops[reader].client().await;
    let mut looks = 0;
    while !over.load(Ordering::Relaxed) {
        let _: Product = client.get(&format!("/api/products/{product}")).await;
        let _: Vec<Product> = client.get("/api/categories/lamps").await;
        looks += 1;
    }
    looks
}

/// On a busy machine an invalidation may be acknowledged after the write has returned.
async fn delivered(client: &mut Visitor) {
    let patience = Patience::new();
    while client.get::<Value>("/healthz").await["journal_depth"] != 0 {
        patience.pause("invalidations are delivered").await;
    }
}

#[tokio::test]
async fn an_order_takes_what_was_in_the_cart() {
    let shop = Process::start(&[]).await;
    let mut client = shop.client().await;
    let before: Product = client.get("/api/products/7").await;
    let written: Cart = client.ask("PUT", "/api/carts/9", r#"{"product":7,"pieces":2}"#).await;
    let queries = client.queries().await;
    let read: Cart = client.get("/api/carts/9").await;
    assert_eq!(read, written);
    assert_eq!(client.queries().await, queries, "the write has stored it");

    assert_eq!(client.ask::<i64>("POST", "/api/carts/9/order", "").await, 2);
    let after: Product = client.get("/api/products/7").await;
    assert_eq!(after.stock, before.stock - 2);
    let cart: Cart = client.get("/api/carts/9").await;
    assert_eq!(cart.lines, []);

    let more = r#"{"product":7,"pieces":9000000}"#;
    let written: Cart = client.ask("PUT", "/api/carts/9", more).await;
    assert_eq!(client.status("POST", "/api/carts/9/order", "").await, 409, "sold out");
    assert_eq!(client.get::<Cart>("/api/carts/9").await, written);
    assert_eq!(client.get::<Product>("/api/products/7").await, after);
    shop.finish().await;
}

#[tokio::test]
async fn a_user_is_found_at_the_new_address_alone() {
    let shop = Process::start(&[]).await;
    let mut client = shop.client().await;
    let (old, new) = ("/api/users?email=user7@example.com", "/api/users?email=Seven@Example.com");
    assert_eq!(client.status("GET", old, "").await, 200);
    assert_eq!(client.status("GET", new, "").await, 404);
    let address = "\"seven@example.com\"";
    assert_eq!(client.status("PUT", "/api/users/7/email", address).await, 200);
    assert_eq!(client.status("GET", old, "").await, 404);
    assert_eq!(client.status("GET", new, "").await, 200);
    shop.finish().await;
}

#[tokio::test]
async fn who_wants_nothing_cached_asks_the_database() {
    let shop = Process::start(&[]).await;
    let mut client = shop.client().await;
    let _: Product = client.get("/api/products/7").await;
    let before = client.queries().await;
    let request = Request { no_cache: true, ..Request::new("GET", "/api/products/7", None) };
    assert_eq!(client.send(&request).await.status, 200);
    assert_eq!(client.queries().await, before + 1);
    let _: Product = client.get("/api/products/7").await;
    assert_eq!(client.queries().await, before + 1, "others find what they found");
    shop.finish().await;
}

#[tokio::test]
async fn each_answer_says_how_it_came_about() {
    let shop = Process::start(&[]).await;
    let mut client = shop.client().await;
    let read = Request::new("GET", "/api/products/7", None);
    let past_the_cache = Request { no_cache: true, ..read.clone() };
    let missing = Request::new("GET", "/api/products/2001", None);
    for (request, begin) in [
        (&read, "cache-runtime; fwd=miss; stored; ttl="),
        (&read, "cache-runtime; hit; ttl="),
        (&past_the_cache, "cache-runtime; fwd=bypass"),
        (&missing, "cache-runtime; fwd=miss; stored; ttl="),
        (&missing, "cache-runtime; hit; ttl="),
    ] {
        let response = client.send(request).await;
        let told = response.header("cache-status").expect("a header");
        assert!(told.starts_with(begin), "{request}: {told}");
    }
    let written =
        Request { body: "99".to_owned(), ..Request::new("PUT", "/api/products/7/price", None) };
    assert_eq!(client.send(&written).await.header("cache-status"), None);
    shop.finish().await;
}
