//! The functions under test.

use std::collections::HashMap;
use std::time::Duration;

use cache_runtime::{Key, Tag, cached, invalidates, write_through};

use crate::database::{Database, Failed, Row, Trace};

/// Rows of odd number have tags, one of which their writes invalidate in place of the key.
pub const fn is_tagged(id: u64) -> bool {
    id % 2 == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as the attribute makes them")]
fn row_key(id: &u64) -> Key<Row> {
    let key = Key::<Row>::builder().text("row:").part(id).done().ttl(Duration::from_secs(3600));
    if is_tagged(*id) { key.tag("rows").tag(group(*id)) } else { key }
}

fn group(id: u64) -> Tag {
    Tag::builder().text("group:").part(&id).done()
}

/// What the writes of some rows invalidate: their keys, and of others their tags.
fn keys(ids: &[u64]) -> Vec<Key<Row>> {
    ids.iter().filter(|id| !is_tagged(**id)).map(row_key).collect()
}

fn tags(ids: &[u64]) -> Vec<Tag> {
    ids.iter().filter(|id| is_tagged(**id)).map(|id| group(*id)).collect()
}

/// What may be deleted from outside to the same effect.
pub fn deletable(id: u64) -> Vec<String> {
    let entry = format!("@test:row:{id}");
    if is_tagged(id) { vec![entry, format!("@test:~tag:group:{id}")] } else { vec![entry] }
}

/// What may vanish.
pub fn evictable(id: u64) -> Vec<String> {
    let beside = [format!("@test:row:{id}!r"), "@test:~tag:rows".to_owned()];
    deletable(id).into_iter().chain(beside).collect()
}

#[cached(key = row_key(&id), ttl = "1h", skip(db))]
pub async fn row(db: &Database, id: u64) -> Result<Row, Failed> {
    db.load(id).await
}

#[cached(key = row_key(&id), ttl = "1h", lock, skip(db))]
pub async fn locked_row(db: &Database, id: u64) -> Result<Row, Failed> {
    db.load(id).await
}

/// Soon stale, and refreshed in the background.
#[cached(key = row_key(&id), ttl = "5ms", stale_while_revalidate = "500ms", skip(db))]
pub async fn revalidated(db: &Database, id: u64) -> Result<Row, Failed> {
    db.load(id).await
}

/// Served stale where the load fails.
#[cached(key = row_key(&id), ttl = "5ms", stale_if_error = "500ms", lock, skip(db))]
pub async fn forgiven(db: &Database, id: u64) -> Result<Row, Failed> {
    db.load(id).await
}

/// Served stale where the load takes too long.
#[cached(key = row_key(&id), ttl = "5ms", stale_if_error = "500ms", load_timeout = "4ms", skip(db))]
pub async fn hurried(db: &Database, id: u64) -> Result<Row, Failed> {
    db.load(id).await
}

/// Refreshed before its time; its errors are remembered for a moment.
#[cached(
    key = row_key(&id),
    ttl = "60ms",
    early = 5.0,
    error_ttl = |_: &Failed| Some(Duration::from_millis(5)),
    skip(db),
)]
pub async fn early(db: &Database, id: u64) -> Result<Row, Failed> {
    db.load(id).await
}

#[cached(batch(id in ids), key = row_key(id), ttl = "1h", skip(db))]
pub async fn rows(db: &Database, ids: &[u64]) -> Result<HashMap<u64, Row>, Failed> {
    db.load_all(ids).await
}

#[cached(batch(id in ids), key = row_key(id), ttl = "1h", lock, skip(db))]
pub async fn locked_rows(db: &Database, ids: &[u64]) -> Result<HashMap<u64, Row>, Failed> {
    db.load_all(ids).await
}

#[invalidates(each(key in keys(&[id])) key = key.clone(), each(tag in tags(&[id])) tag = tag)]
pub async fn write(db: &Database, id: u64, trace: &Trace) -> Result<(), Failed> {
    db.update(id, trace).await;
    Ok(())
}

#[invalidates(
    each(key in keys(&[id])) key = key.clone(),
    each(tag in tags(&[id])) tag = tag,
    fence = "strict"
)]
pub async fn write_strictly(db: &Database, id: u64, trace: &Trace) -> Result<(), Failed> {
    db.update(id, trace).await;
    Ok(())
}

#[invalidates(
    each(key in keys(&[id])) key = key.clone(),
    each(tag in tags(&[id])) tag = tag,
    fence = "off"
)]
pub async fn write_unfenced(db: &Database, id: u64, trace: &Trace) -> Result<(), Failed> {
    db.update(id, trace).await;
    Ok(())
}

#[invalidates(
    each(key in keys(ids)) key = key.clone(),
    each(tag in tags(ids)) tag = tag,
    fence = "off"
)]
pub async fn write_several_unfenced(
    db: &Database,
    ids: &[u64],
    trace: &Trace,
) -> Result<(), Failed> {
    for id in ids {
        db.update(*id, trace).await;
    }
    Ok(())
}

#[invalidates(each(key in keys(ids)) key = key.clone(), each(tag in tags(ids)) tag = tag)]
pub async fn write_several(db: &Database, ids: &[u64], trace: &Trace) -> Result<(), Failed> {
    for id in ids {
        db.update(*id, trace).await;
    }
    Ok(())
}

#[invalidates(
    each(key in keys(ids)) key = key.clone(),
    each(tag in tags(ids)) tag = tag,
    fence = "strict"
)]
pub async fn write_several_strictly(
    db: &Database,
    ids: &[u64],
    trace: &Trace,
) -> Result<(), Failed> {
    for id in ids {
        db.update(*id, trace).await;
    }
    Ok(())
}

#[write_through(row(id))]
pub async fn write_and_store(db: &Database, id: u64, trace: &Trace) -> Result<Row, Failed> {
    Ok(Row { id, version: db.update(id, trace).await })
}

#[write_through(row(id) = Row { id, version: *result }, fence = "strict")]
pub async fn store_strictly(db: &Database, id: u64, trace: &Trace) -> Result<u64, Failed> {
    Ok(db.update(id, trace).await)
}

/// Commits, and then fails.
#[invalidates(each(key in keys(&[id])) key = key.clone(), each(tag in tags(&[id])) tag = tag)]
pub async fn write_and_fail(db: &Database, id: u64, trace: &Trace) -> Result<(), Failed> {
    db.update(id, trace).await;
    Err(Failed)
}

/// Fails before the commit, which comes all the same.
#[invalidates(
    each(key in keys(&[id])) key = key.clone(),
    each(tag in tags(&[id])) tag = tag,
    in_doubt = |Failed| true
)]
pub async fn write_in_doubt(db: &Database, id: u64, trace: &Trace) -> Result<(), Failed> {
    drop(db.statement(id, trace));
    Err(Failed)
}

pub async fn write_by_hand(db: &Database, id: u64, trace: &Trace) -> Result<(), Failed> {
    db.update(id, trace).await;
    let invalidated = if is_tagged(id) {
        trace.cache.invalidate_tag("rows").await
    } else {
        trace.cache.invalidate(&row_key(&id)).await
    };
    invalidated.map_err(Failed::from)
}
