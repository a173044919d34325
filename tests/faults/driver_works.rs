//! The driver can fail.

use std::time::Instant;

use cache_runtime::Cache;

use crate::database::{Record, row_key};
use crate::driver::Driver;
use crate::support::LIMIT;
use crate::support::barrier::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_wrong_without_a_fault() {
    let driver = Driver::start(Cache::in_memory());
    driver.hits().await;
    driver.end("none").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_behind_the_back_of_the_cache_is_caught() {
    let driver = Driver::start(Cache::in_memory());
    driver.hits().await;
    eventually!({
        let version = driver.db.commit(7);
        driver.db.returned(7, version);
        driver.calls(200).await;
        driver.has_seen("stale")
    });
    let report = driver.verdict("a planted stale read").await;
    assert!(report.wrong.iter().any(|wrong| wrong.starts_with("stale: a read of 7")), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_rows_value_is_caught() {
    let mut driver = Driver::start(Cache::in_memory());
    driver.hits().await;
    driver.pause().await;
    driver.cache.put(&row_key(&3), &Record::new(4, u64::MAX)).await.expect("a cache");
    driver.resume();
    eventually!(driver.has_seen("no body has returned"));
    let report = driver.verdict("a planted mix-up").await;
    assert!(report.wrong.iter().any(|wrong| wrong.starts_with("a read of 3")), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_calls_and_panics_are_caught() {
    let driver = Driver::start(Cache::in_memory());
    driver.calls(200).await;
    // More than the machine can have taken away meanwhile.
    let early = Instant::now().checked_sub(2 * LIMIT).expect("up for some minutes");
    for _ in 0..100 {
        driver.log().read(early);
    }
    driver.log().wrong("a task panicked".to_owned());
    let report = driver.verdict("planted slow calls").await;
    assert!(report.is_too_late(), "{report:?}");
    assert_eq!(report.wrong, ["a task panicked"]);
}
