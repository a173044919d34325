//! An origin that is slow and then fails, hidden behind values that may be stale: `cargo run
//! --example freshness`, or with a server `CACHE_URL=redis://127.0.0.1 cargo run --example
//! freshness`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cached};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// Somebody else's service.
#[derive(Clone, Debug, Default)]
struct Exchange {
    calls: Arc<AtomicU32>,
    down: Arc<AtomicBool>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Failure {
    Unavailable,
    NoSuchCurrency,
}

/// The rate may be ten minutes out of date while it is refreshed, and an hour while the exchange is
/// down. A currency that does not exist is not asked for again for a minute.
#[cached(
    key = "rate:<currency>",
    ttl = "1s",
    stale_while_revalidate = "10m",
    stale_if_error = "1h",
    error_ttl = |failure: &Failure| {
        matches!(failure, Failure::NoSuchCurrency).then_some(Duration::from_secs(60))
    },
    skip(exchange),
)]
async fn rate(exchange: &Exchange, currency: &str) -> Result<u32, Failure> {
    // A slow service.
    sleep(Duration::from_millis(200)).await;
    let call = exchange.calls.fetch_add(1, Ordering::Relaxed);
    if exchange.down.load(Ordering::Relaxed) {
        return Err(Failure::Unavailable);
    }
    if currency == "EUR" { Ok(100 + call) } else { Err(Failure::NoSuchCurrency) }
}

async fn ask(exchange: &Exchange, currency: &str) {
    let since = Instant::now();
    let rate = rate(exchange, currency).await;
    println!("{currency}: {rate:?} after {} ms", since.elapsed().as_millis());
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("CACHE_URL").unwrap_or_else(|_| "memory:".to_owned());
    let cache = Cache::builder().namespace("freshness").connect(&url)?;
    cache.install();
    let exchange = Exchange::default();

    println!("the first caller waits, the second does not");
    ask(&exchange, "EUR").await;
    ask(&exchange, "EUR").await;

    println!("past the ttl nobody waits, and a moment later there is a new value");
    sleep(Duration::from_millis(1_100)).await;
    ask(&exchange, "EUR").await;
    sleep(Duration::from_millis(300)).await;
    ask(&exchange, "EUR").await;

    println!("the exchange is down, and nobody notices");
    exchange.down.store(true, Ordering::Relaxed);
    sleep(Duration::from_millis(1_100)).await;
    ask(&exchange, "EUR").await;
    sleep(Duration::from_millis(300)).await;
    ask(&exchange, "EUR").await;
    exchange.down.store(false, Ordering::Relaxed);

    println!("a currency that does not exist is asked for once");
    ask(&exchange, "XYZ").await;
    ask(&exchange, "XYZ").await;

    // Waits for the refreshes that are under way.
    cache.shutdown().await?;
    println!("{} calls to the exchange in all", exchange.calls.load(Ordering::Relaxed));
    Ok(())
}
