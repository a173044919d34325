//! Parameters of every shape.

use std::sync::Arc;

use cache_runtime::{KeyPart, cached};
use serde::Serialize;

use crate::once::{Pool, Row, once, row};

#[cached(key = "plain:<id>", ttl = 3600)]
async fn plain(db: &Pool, id: i64) -> Row {
    let _ = db;
    row(id)
}

#[cached(key = "none", ttl = 3600)]
async fn without_any() -> Row {
    row(0)
}

#[cached(key = "text:<name>:<ids>", ttl = 3600)]
async fn borrowed(name: &str, ids: &[i64]) -> Row {
    let _ = name;
    row(ids.iter().sum())
}

#[cached(key = "lifetimes:<name>:<pair.0>", ttl = 3600)]
async fn lifetimes<'a, 'b: 'a>(name: &'a str, pair: &'b (i64, i64)) -> Row {
    let _ = name;
    row(pair.1)
}

#[cached(key = "owned:<name>:<ids>", ttl = 3600)]
async fn moved(name: String, ids: Vec<i64>) -> Row {
    drop(name);
    row(ids.into_iter().sum())
}

#[cached(key = "option:<id>", ttl = 3600)]
async fn optional(id: Option<i64>) -> Row {
    row(id.unwrap_or_default())
}

#[cached(key = "mut:<id>", ttl = 3600)]
async fn mutable(mut id: i64) -> Row {
    id += 1;
    row(id)
}

#[cached(key = "by-mut:<id>", ttl = 3600)]
async fn by_mutable_reference(id: &mut i64) -> Row {
    *id += 1;
    row(*id)
}

#[derive(Debug)]
struct Wrapped<T>(T);

#[cached(key = "patterns:<a>:<b>:<c>", ttl = 3600)]
async fn patterns((a, mut b): (i64, String), Wrapped(c): Wrapped<i64>, _: Pool) -> Row {
    b.push('x');
    row(a + c + i64::try_from(b.len()).unwrap_or_default())
}

#[cached(key = "impl:<name>:<filter:hash>", ttl = 3600, skip(make))]
async fn implemented(
    name: impl AsRef<str> + KeyPart,
    filter: &impl Serialize,
    make: impl Fn() -> i64,
) -> Row {
    let (_, _) = (name.as_ref(), filter);
    row(make())
}

#[cached(key = "dyn:<id>", ttl = 3600, skip(make))]
async fn dynamic(make: Box<dyn Fn(i64) -> i64 + Send + Sync>, id: i64) -> Row {
    row(make(id))
}

#[cached(key = "raw:<type>", ttl = 3600)]
async fn r#raw(r#type: i64) -> Row {
    row(r#type)
}

#[derive(Debug)]
struct Request {
    user: Arc<User>,
}

#[derive(Debug)]
struct User {
    id: i64,
}

#[cached(key = "field:<request.user.id>", ttl = 3600)]
async fn fields(request: &Request) -> Row {
    row(request.user.id)
}

#[cached(key = "{tag:<a>}:<<literal>>:<a>/<b>", ttl = 3600)]
async fn templates(a: &str, b: &str) -> Row {
    row(i64::try_from(a.len() + b.len()).unwrap_or_default())
}

#[tokio::test]
async fn parameters_of_every_shape() {
    once!("plain:7", plain(&Pool, 7));
    once!("none", without_any());
    once!("text:Ada%20L.:<1,2,>", borrowed("Ada L.", &[1, 2]));
    once!("lifetimes:a%3Ab:1", lifetimes("a:b", &(1, 2)));
    once!("owned:Ada:<3,4,>", moved("Ada".to_owned(), vec![3, 4]));
    once!("option:5", optional(Some(5)));
    once!("option:<->", optional(None));
    assert_eq!(once!("mut:1", mutable(1)).id, 2);
    assert_eq!(once!("by-mut:3", by_mutable_reference(&mut 3)).id, 4);
    assert_eq!(once!("patterns:1:b:3", patterns((1, "b".to_owned()), Wrapped(3), Pool)).id, 6);
    once!("dyn:2", dynamic(Box::new(|id| id * 2), 2));
    once!("raw:9", raw(9));
    once!("field:8", fields(&Request { user: Arc::new(User { id: 8 }) }));
    once!("{tag:x/y}:<literal>:x%2Fy/z/", templates("x/y", "z/"));
}

#[tokio::test]
async fn implemented_parameters() {
    let cache = cache_runtime::Cache::in_memory();
    let calls = async {
        let first = implemented("a", &[1, 2], || 3).await;
        assert_eq!(implemented("a", &[1, 2], || 4).await, first);
        assert_ne!(implemented("a", &[2, 1], || 3).await, first);
        assert_ne!(implemented("b".to_owned(), &[1, 2], || 3).await, first);
        // An owned text is the same key as a borrowed one.
        assert_eq!(implemented("a".to_owned(), &vec![1, 2], || 3).await, first);
    };
    cache.scope(calls).await;
}

/// The companion takes what the key needs, by shared reference.
#[tokio::test]
async fn companions() {
    assert_eq!(plain_key(&7).as_str(), "plain:7");
    assert_eq!(without_any_key().as_str(), "none");
    assert_eq!(borrowed_key("Ada", &[1]).as_str(), "text:Ada:<1,>");
    assert_eq!(moved_key("Ada", &[1]).as_str(), "owned:Ada:<1,>");
    assert_eq!(lifetimes_key("Ada", &(1, 2)).as_str(), "lifetimes:Ada:1");
    assert_eq!(raw_key(&1).as_str(), "raw:1");
    assert_eq!(templates_key("a", "b").as_str(), "{tag:a}:<literal>:a/b");
}
