//! Values without a hash: the calls work, nothing is stored that nobody can reach, and it does not
//! go unnoticed.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use cache_fixtures::patient;
use cache_runtime::{
    Batch, Cache, CacheBuilder, ErrorKind, Tag, cached, invalidates, write_behind, write_through,
};
use cache_testing::redis::RedisServer;
use serde::{Deserialize, Serialize};

/// Two paths that serde refuses.
fn odd() -> [&'static Path; 2] {
    [b"/\xfe", b"/\xff"].map(|bytes| Path::new(OsStr::from_bytes(bytes)))
}

/// Two that it does not tell apart.
#[derive(Clone, Debug, Serialize)]
struct Filter {
    text: String,
    #[serde(skip)]
    tenant: u64,
}

#[cached(key = "size:<path:hash>", ttl = 60)]
async fn size(path: &Path) -> usize {
    usize::from(path.as_os_str().as_bytes()[1])
}

#[cached(key = "found:<filter:hash>", ttl = 60)]
async fn found(filter: Filter) -> u64 {
    filter.tenant
}

#[cached(key = "tagged:<id>", ttl = 60, tags = ["path:<path:hash>"], skip(path))]
async fn tagged(id: u64, path: &Path) -> u64 {
    id
}

#[cached(batch(path in paths), key = "many:<path:hash>", ttl = 60)]
async fn many(paths: &[PathBuf]) -> HashMap<PathBuf, usize> {
    paths.iter().map(|path| (path.clone(), path.as_os_str().len())).collect()
}

#[cached(key = "stale:<path:hash>", ttl = 60, stale_while_revalidate = 60)]
async fn stale(path: PathBuf) -> usize {
    path.as_os_str().len()
}

#[cached(key = "when:<path:hash>", ttl = 60, when = path.to_str().is_some())]
async fn only_when(path: &Path) -> usize {
    path.as_os_str().len()
}

#[invalidates(
    size(path),
    key = "size:<path:hash>",
    tag = "path:<path:hash>",
    pattern = "<path:hash>:*"
)]
async fn write(path: &Path) -> u8 {
    7
}

#[invalidates(each(path in paths) size(path), tagged(1, Path::new("/")))]
async fn write_each(paths: &[PathBuf]) {}

#[write_through(size(path) = 8)]
async fn write_value(path: &Path) {}

fn misuses(cache: &Cache, function: &str) -> u64 {
    cache.stats().function(function).map_or(0, |stats| stats.misuses)
}

async fn calls_bypass_the_cache(cache: &Cache) {
    let [one, other] = odd();
    let work = async {
        for _ in 0..3 {
            assert_eq!((size(one).await, size(other).await), (0xfe, 0xff));
            for tenant in [1, 2] {
                assert_eq!(found(Filter { text: "a".to_owned(), tenant }).await, tenant);
            }
            assert_eq!(tagged(1, one).await, 1);
            assert_eq!(stale(one.to_owned()).await, 2);
            assert_eq!(only_when(one).await, 2);
        }
    };
    cache.scope(work).await;
    for (function, calls) in [("size", 6), ("found", 6), ("tagged", 3), ("stale", 3)] {
        let stats = cache.stats().function(function).unwrap().clone();
        assert_eq!(
            (stats.misuses, stats.outcomes.bypassed, stats.loads_ok),
            (calls, calls, calls),
            "{function}"
        );
        assert_eq!(stats.fills_stored, 0, "{function}");
    }
    assert_eq!(misuses(cache, "only_when"), 0, "not asked");

    // In a batch, the others are cached.
    let paths = [one.to_owned(), PathBuf::from("/a"), other.to_owned()];
    for _ in 0..2 {
        assert_eq!(cache.scope(many(&paths)).await.len(), 3);
    }
    let stats = cache.stats().function("many").unwrap().clone();
    assert_eq!((stats.misuses, stats.fills_stored, stats.hits()), (4, 1, 1));
}

async fn writes_are_told(cache: &Cache) {
    let [one, other] = odd();
    let good = Path::new("/a");
    let work = async {
        size(good).await;
        assert_eq!(write(one).await, 7);
        assert_eq!(misuses(cache, "size"), 1);
        assert_eq!(misuses(cache, "by hand"), 3, "key, tag and pattern");
        write_value(one).await;
        assert_eq!(misuses(cache, "size"), 2);
        assert_eq!(cache.get(&size_key(good)).await.unwrap(), Some(usize::from(b'a')));
        // What can be invalidated is.
        write_each(&[one.to_owned(), good.to_owned(), other.to_owned()]).await;
        assert_eq!(misuses(cache, "size"), 4);
        assert_eq!(cache.get(&size_key(good)).await.unwrap(), None);
    };
    cache.scope(work).await;
}

async fn by_hand_it_is_an_error(cache: &Cache) {
    let (key, good) = (size_key(odd()[0]), size_key(Path::new("/a")));
    let tag = || Tag::builder().hash(odd()[0]).done();
    cache.put(&good, &1).await.unwrap();
    let errors = [
        cache.get(&key).await.unwrap_err(),
        cache.get(&tagged_key(&1, odd()[0])).await.unwrap_err(),
        cache.put(&key, &1).await.unwrap_err(),
        cache.invalidate(&key).await.unwrap_err(),
        cache.invalidate_tag(tag()).await.unwrap_err(),
        cache.invalidate((vec![key.clone()], &[key.clone(), good.clone()])).await.unwrap_err(),
    ];
    for error in &errors {
        assert_eq!(error.kind(), ErrorKind::Codec);
        let text = error.to_string();
        assert!(text.contains("type `std::path::Path` cannot be hashed"), "{text}");
        assert!(!text.contains('\u{fffd}') && !text.contains("xfe"), "{text}");
    }
    assert_eq!(cache.get(&good).await.unwrap(), None, "the others are invalidated");
    assert_eq!(misuses(cache, "size"), 5);
}

async fn on_both(check: impl AsyncFn(&Cache)) {
    check(&Cache::in_memory()).await;
    let server = RedisServer::start().await;
    check(&patient().connect(&server.url()).unwrap()).await;
}

#[tokio::test]
async fn calls() {
    on_both(calls_bypass_the_cache).await;
}

#[tokio::test]
async fn nothing_is_stored_that_nobody_can_reach() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    calls_bypass_the_cache(&cache).await;
    let keys = server.client().await.keys().await;
    assert!(keys.len() == 1 && keys[0].starts_with("many:"), "{keys:?}");
}

#[tokio::test]
async fn writes() {
    on_both(writes_are_told).await;
}

#[tokio::test]
async fn by_hand() {
    on_both(by_hand_it_is_an_error).await;
}

fn strict() -> CacheBuilder {
    Cache::builder().panic_on_misuse(true)
}

#[tokio::test]
#[should_panic(expected = "serde skips a field of `values::hashes::refusals::Filter`")]
async fn a_test_can_have_it_panic() {
    let filter = Filter { text: "a".to_owned(), tenant: 1 };
    strict().in_memory().unwrap().scope(found(filter)).await;
}

#[derive(Debug, Serialize, Deserialize)]
struct View {
    #[serde(serialize_with = "not_empty")]
    page: String,
}

fn not_empty<S: serde::Serializer>(page: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if page.is_empty() {
        return Err(serde::ser::Error::custom("secret"));
    }
    serializer.serialize_str(page)
}

#[write_behind(queue = "unhashable", key = "<view:hash>")]
async fn save(views: Batch<View>) -> Result<(), std::io::Error> {
    drop(views);
    Ok(())
}

/// Without its key, an item could overtake others: it is not pushed.
#[tokio::test]
async fn an_item_of_a_queue() {
    let cache = Cache::in_memory();
    let pushes = async {
        save_queue().push(View { page: "a".to_owned() }).await.unwrap();
        save_queue().push(View { page: String::new() }).await.unwrap_err()
    };
    let error = cache.scope(pushes).await;
    assert_eq!(error.kind(), ErrorKind::Codec);
    assert!(
        error.to_string().contains("cannot be hashed") && !error.to_string().contains("secret")
    );
    let stats = cache.stats().queue("unhashable").unwrap().clone();
    assert_eq!((stats.pushed, stats.failed), (1, 1));
}
