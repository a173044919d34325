//! What the buttons of the dashboard cause, and that each call succeeds meanwhile.

use std::time::{Duration, Instant};

use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;
use serde_json::Value;
use shop::{Mix, Options, Product, Switches, Tick};
use visitors::dice::Dice;

use crate::process::{Process, Visitor};

#[tokio::test]
async fn a_stampede_runs_one_query() {
    let shop = Process::start(&[]).await;
    let result: Value = shop.client().await.ask("POST", "/troubles/stampede", "").await;
    assert_eq!((&result["callers"], &result["answered"]), (&1000.into(), &1000.into()));
    assert_eq!(result["loads"], 1);
    shop.finish().await;
}

#[tokio::test]
async fn a_storm_invalidates_everything() {
    let shop = Process::start(&[]).await;
    let mut client = shop.client().await;
    for path in ["/api/products/7", "/api/categories/lamps", "/api/front-page"] {
        assert_eq!(client.status("GET", path, "").await, 200);
        let before = client.queries().await;
        assert_eq!(client.status("GET", path, "").await, 200);
        assert_eq!(client.queries().await, before, "{path} was cached");
    }
    let result: Value = client.ask("POST", "/troubles/storm", "").await;
    assert_eq!(result["invalidated"], 10 * (2000 + 8 + 1));
    for path in ["/api/products/7", "/api/categories/lamps", "/api/front-page"] {
        let before = client.queries().await;
        assert_eq!(client.status("GET", path, "").await, 200);
        assert!(client.queries().await > before, "{path} was invalidated");
    }
    shop.finish().await;
}

#[tokio::test]
async fn a_slow_database_takes_twenty_times_as_long() {
    let shop = Process::start(&["--query-us", "5000"]).await;
    let mut client = shop.client().await;
    let switches: Switches = client.ask("PUT", "/troubles/slow-database", "true").await;
    assert!(switches.slow_database);
    let begin = Instant::now();
    assert_eq!(client.status("GET", "/api/products/7", "").await, 200);
    assert!(begin.elapsed() >= Duration::from_millis(100), "{:?}", begin.elapsed());
    let switches: Switches = client.ask("PUT", "/troubles/slow-database", "false").await;
    assert!(!switches.slow_database);
    shop.finish().await;
}

#[tokio::test]
async fn visitors_come_and_go() {
    let shop = Process::start(&[]).await;
    let mut client = shop.client().await;
    let switches: Switches = client.ask("PUT", "/troubles/traffic", "true").await;
    assert!(switches.traffic);
    eventually!(client.tick().await.totals.requests > 100);
    let switches: Switches = client.ask("PUT", "/troubles/traffic", "false").await;
    assert!(!switches.traffic);
    eventually!({
        let ticks: Vec<Tick> = client.get("/dashboard/ticks").await;
        let mut last = ticks.iter().rev().map(|tick| tick.totals.requests);
        last.next() == last.next()
    });
    assert_eq!(client.tick().await.totals.failed, 0);
    shop.finish().await;
}

#[tokio::test]
async fn without_a_redis_there_is_none_to_cut_off() {
    let shop = Process::start(&[]).await;
    let mut client = shop.client().await;
    eventually!(client.tick().await.number > 0);
    assert_eq!(client.tick().await.switches.outage, None);
    assert_eq!(client.status("PUT", "/troubles/outage", "true").await, 409);
    shop.finish().await;
}

#[tokio::test]
async fn every_call_succeeds_while_redis_is_cut_off() {
    let server = RedisServer::start().await;
    let shop = Process::with(&server.url(), &["--query-us", "500"]).await;
    let mut client = shop.client().await;
    let mut visit = Visit::new();
    visit.requests(&mut client, 200).await;
    assert_eq!(client.get::<Product>("/api/products/7").await.id, 7);
    eventually!(client.tick().await.totals.calls.hit > 0);

    let switches: Switches = client.ask("PUT", "/troubles/outage", "true").await;
    assert_eq!(switches.outage, Some(true));
    eventually!({
        visit.requests(&mut client, 10).await;
        client.tick().await.store.breaker.as_deref() == Some("open")
    });
    assert_eq!(client.status("PUT", "/api/products/7/price", "1234").await, 200);
    eventually!(client.tick().await.store.journal > 0);
    visit.requests(&mut client, 200).await;
    assert_eq!(client.get::<Product>("/api/products/7").await.cents, 1234);

    let switches: Switches = client.ask("PUT", "/troubles/outage", "false").await;
    assert_eq!(switches.outage, Some(false));
    eventually!({
        let store = client.tick().await.store;
        store.breaker.as_deref() == Some("closed") && store.journal == 0
    });
    let hits = client.tick().await.totals.calls.hit;
    assert_eq!(client.get::<Product>("/api/products/7").await.cents, 1234, "what was written");
    visit.requests(&mut client, 200).await;
    eventually!(client.tick().await.totals.calls.hit > hits);
    assert_eq!(client.tick().await.totals.failed, 0);
    shop.finish().await;
}

/// Requests as visitors make them, of which none may fail.
struct Visit(Mix, Dice);

impl Visit {
    fn new() -> Self {
        Self(Mix::new(Options::default().database.size, 0.2), Dice::new(7))
    }

    async fn requests(&mut self, client: &mut Visitor, many: usize) {
        for _ in 0..many {
            let (request, _) = self.0.draw(&mut self.1);
            let status = client.send(&request).await.status;
            // A link to what has gone, and what is sold out, are answers as well.
            assert!([200, 202, 404, 409].contains(&status), "{request}: {status}");
        }
    }
}
