//! Return types: which part is stored, and when.

use std::collections::HashMap;
use std::sync::Arc;

use cache_runtime::{Key, cached};

use crate::once::{Failed, Pool, Row, each_time, once, once_ok, row, serial};

type AppResult<T> = Result<T, Failed>;
/// An alias whose name says nothing.
type Fetched = AppResult<Row>;

#[cached(key = "result:<id>", ttl = 3600)]
async fn result(db: &Pool, id: i64) -> Result<Row, Failed> {
    let _ = db;
    if id < 0 {
        return Err(Failed(serial()));
    }
    let offset: i64 = "5".parse()?;
    Ok(row(id + offset))
}

#[cached(key = "alias:<id>", ttl = 3600)]
async fn alias(id: i64) -> AppResult<Row> {
    if id < 0 { Err(Failed(serial())) } else { Ok(row(id)) }
}

#[cached(key = "fetched:<id>", ttl = 3600)]
async fn fetched(id: i64) -> Fetched {
    if id < 0 { Err(Failed(serial())) } else { Ok(row(id)) }
}

#[cached(key = "anyhow:<text>", ttl = 3600)]
async fn anyhow(text: &str) -> anyhow::Result<Row> {
    Ok(row(text.parse()?))
}

#[cached(key = "io:<id>", ttl = 3600)]
async fn io(id: i64) -> std::io::Result<Row> {
    Ok(row(id))
}

#[cached(key = "boxed:<id>", ttl = 3600)]
async fn boxed(id: i64) -> Result<Box<[Row]>, Box<dyn std::error::Error + Send + Sync>> {
    if id < 0 {
        return Err("negative".into());
    }
    Ok(Box::new([row(id)]))
}

#[cached(key = "option:<id>", ttl = 3600)]
async fn option(id: i64) -> Option<Row> {
    (id >= 0).then(|| row(id))
}

#[cached(key = "remembered:<id>", ttl = 3600, none_ttl = 30, skip(runs))]
async fn remembered(runs: &std::sync::atomic::AtomicU64, id: i64) -> Option<Row> {
    runs.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    (id >= 0).then(|| row(id))
}

#[cached(key = "both:<id>", ttl = 3600, none_ttl = "30s")]
async fn both(id: i64) -> AppResult<Option<Row>> {
    match id {
        ..0 => Err(Failed(serial())),
        0 => Ok(None),
        _ => Ok(Some(row(id))),
    }
}

#[cached(key = "absent:<id>", ttl = 3600)]
async fn absent(id: i64) -> Result<Option<Row>, Failed> {
    let _ = id;
    Ok(None)
}

#[cached(key = "arc:<id>", ttl = 3600)]
async fn arc(id: i64) -> Arc<Row> {
    Arc::new(row(id))
}

#[cached(key = "arc-str:<id>", ttl = 3600)]
async fn arc_str(id: i64) -> Result<Arc<str>, Failed> {
    Ok(format!("{id}:{}", serial()).into())
}

#[cached(key = "map:<id>", ttl = 3600)]
async fn map(id: i64) -> HashMap<String, (i64, Option<u64>)> {
    HashMap::from([("a".to_owned(), (id, Some(serial()))), ("b".to_owned(), (id, None))])
}

#[cached(key = "unit:<id>", ttl = 3600)]
async fn unit(id: i64) -> Result<(), Failed> {
    if id < 0 { Err(Failed(serial())) } else { Ok(()) }
}

#[tokio::test]
async fn values_are_stored() {
    assert_eq!(once_ok!("result:1", result(&Pool, 1)).id, 6);
    once_ok!("alias:1", alias(1));
    once_ok!("fetched:1", fetched(1));
    once_ok!("anyhow:7", anyhow("7"));
    once_ok!("io:1", io(1));
    once_ok!("boxed:1", boxed(1));
    once!("option:1", option(1));
    assert!(once_ok!("both:1", both(1)).is_some());
    assert_eq!(once_ok!("both:0", both(0)), None);
    once!("arc:1", arc(1));
    once_ok!("arc-str:1", arc_str(1));
    once!("map:1", map(1));
    once_ok!("unit:1", unit(1));
}

#[tokio::test]
async fn errors_are_not() {
    let (first, second) = each_time!("result:-1", result(&Pool, -1));
    assert!(first.is_err() && first != second);
    let (first, second) = each_time!("alias:-1", alias(-1));
    assert!(first.is_err() && first != second);
    let (first, second) = each_time!("fetched:-1", fetched(-1));
    assert!(first.is_err() && first != second);
    let (first, second) = each_time!("both:-1", both(-1));
    assert!(first.is_err() && first != second);
    let (first, _) = each_time!("anyhow:x", anyhow("x"));
    assert!(first.unwrap_err().is::<std::num::ParseIntError>());
    let (first, _) = each_time!("boxed:-1", boxed(-1));
    assert_eq!(first.unwrap_err().to_string(), "negative");
}

#[tokio::test]
async fn none_is_stored_where_it_has_a_ttl() {
    assert_eq!(each_time!("option:-1", option(-1)), (None, None));
    assert_eq!(each_time!("absent:1", absent(1)), (Ok(None), Ok(None)));
    let runs = std::sync::atomic::AtomicU64::new(0);
    once!("remembered:-1", remembered(&runs, -1));
    assert_eq!(runs.into_inner(), 1);
}

/// A key's type is what is stored.
#[tokio::test]
async fn keys_are_typed() {
    let _: Key<Row> = result_key(&1);
    let _: Key<Row> = alias_key(&1);
    let _: Key<Row> = fetched_key(&1);
    let _: Key<Row> = anyhow_key("7");
    let _: Key<Option<Row>> = option_key(&1);
    let _: Key<Option<Row>> = both_key(&1);
    let _: Key<Arc<Row>> = arc_key(&1);
    let _: Key<()> = unit_key(&1);
}
