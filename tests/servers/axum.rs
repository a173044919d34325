//! A server of axum, whose connections are tasks of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::routing::get;
use axum::{Router, serve};
use cache_runtime::{Cache, cached, invalidates};
use cache_testing::within_limit;
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service as _;

/// A database of one test: the rows of all have the same ids and differ in their owner.
#[derive(Clone, Debug)]
pub struct Db {
    owner: &'static str,
    queries: Arc<AtomicU64>,
}

impl Db {
    fn new(owner: &'static str) -> Self {
        Self { owner, queries: Arc::default() }
    }
}

#[cached(key = "row:<id>", ttl = "1h", skip(db))]
async fn row(db: &Db, id: u64) -> String {
    format!("{} {id} {}", db.owner, db.queries.fetch_add(1, SeqCst))
}

#[invalidates(row(id))]
async fn touch(db: &Db, id: u64) {
    db.queries.fetch_add(1, SeqCst);
}

async fn read(State(db): State<Db>, Path(id): Path<u64>) -> String {
    row(&db, id).await
}

async fn write(State(db): State<Db>, Path(id): Path<u64>) {
    touch(&db, id).await;
}

/// Reads in a task of its own.
async fn spawned(State(db): State<Db>, Path(id): Path<u64>) -> String {
    let work = async move { row(&db, id).await };
    tokio::spawn(Cache::current().scope(work)).await.unwrap()
}

/// Reads while its answer is being sent.
async fn streamed(State(db): State<Db>, Path(ids): Path<u64>) -> Body {
    let cache = Cache::current();
    let rows = stream::iter(0..ids).then(move |id| {
        let db = db.clone();
        cache.scope(async move { Ok::<_, std::convert::Infallible>(row(&db, id).await) })
    });
    Body::from_stream(rows)
}

fn app(cache: &Cache, db: &Db) -> Router {
    Router::new()
        .route("/{id}", get(read).post(write))
        .route("/spawned/{id}", get(spawned))
        .route("/streamed/{ids}", get(streamed))
        .with_state(db.clone())
        .layer(cache.layer())
}

/// The address of a server that ends with its runtime.
async fn start(app: Router) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { serve(listener, app).await });
    address
}

/// The answer's body, of a request on a connection of its own.
async fn request(server: std::net::SocketAddr, method: &str, path: &str) -> String {
    let talk = async {
        let mut stream = TcpStream::connect(server).await.unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    within_limit("the server answers", talk).await
}

/// The same without a server.
async fn oneshot(app: &Router, path: &str) -> String {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = app.clone().call(request).await.unwrap();
    String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await.unwrap().into()).unwrap()
}

const ROWS: u64 = 20;

/// Each of several tests that run at once reads, and writes, its own rows through its own server.
async fn serves_its_own_rows(owner: &'static str) {
    let (cache, db) = (Cache::in_memory(), Db::new(owner));
    let server = start(app(&cache, &db)).await;
    for id in 0..ROWS {
        let first = request(server, "GET", &format!("/{id}")).await;
        assert!(first.starts_with(&format!("{owner} {id} ")), "{first:?}");
        assert_eq!(request(server, "GET", &format!("/{id}")).await, first);
        assert_eq!(request(server, "GET", &format!("/spawned/{id}")).await, first);
    }
    let function = || cache.stats().function("axum::row").cloned().unwrap();
    assert_eq!((function().loads_ok, function().hits()), (ROWS, 2 * ROWS));
    let before = request(server, "GET", "/1").await;
    request(server, "POST", "/1").await;
    assert_ne!(request(server, "GET", "/1").await, before);
    assert_eq!(function().loads_ok, ROWS + 1);
}

macro_rules! each_serves_its_own_rows {
    ($($owner:ident)*) => {
        $(#[tokio::test]
        async fn $owner() {
            serves_its_own_rows(stringify!($owner)).await;
        })*
    };
}

each_serves_its_own_rows! { ada bob cleo dora emil finn }

#[tokio::test]
async fn a_router_is_tested_without_a_server() {
    let (cache, db) = (Cache::in_memory(), Db::new("router"));
    let app = app(&cache, &db);
    assert_eq!(oneshot(&app, "/7").await, "router 7 0");
    assert_eq!(oneshot(&app, "/7").await, "router 7 0");
    assert_eq!(cache.stats().function("axum::row").unwrap().hits(), 1);
}

/// The body of an answer is produced after the handler has returned.
#[tokio::test]
async fn a_streamed_answer_takes_its_cache_along() {
    let (cache, db) = (Cache::in_memory(), Db::new("stream"));
    let app = app(&cache, &db);
    assert_eq!(oneshot(&app, "/streamed/2").await, "stream 0 0stream 1 1");
    assert_eq!(oneshot(&app, "/1").await, "stream 1 1");
    let stats = cache.stats();
    let function = stats.function("axum::row").unwrap();
    assert_eq!((function.loads_ok, function.hits()), (2, 1));
}

/// A part of an application can have a cache of its own.
#[tokio::test]
async fn the_innermost_cache_is_used() {
    let (outer, inner, db) = (Cache::in_memory(), Cache::in_memory(), Db::new("nested"));
    let app = app(&inner, &db).layer(outer.layer());
    oneshot(&app, "/1").await;
    assert_eq!(inner.stats().function("axum::row").unwrap().loads_ok, 1);
    assert!(outer.stats().function("axum::row").is_none());
}
