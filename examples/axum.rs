//! A web service with a cache: its state, `/health` and `/metrics`, the order of its shutdown, and
//! its tests.
//!
//! `cargo run --example axum` asks itself a few questions and ends. `cargo run --example axum --
//! 127.0.0.1:3000` serves until Ctrl+C. `cargo test --example axum` runs the test at the end. With
//! a server: `CACHE_URL=redis://127.0.0.1 cargo run --example axum`.

use std::net::SocketAddr;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use cache_runtime::{Cache, Stats, cached, invalidates};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct User {
    id: i64,
    name: String,
}

// The functions that touch the database are cached, and not the handlers: a response has a status
// and headers too.

#[cached(key = "user:<id>", ttl = "1h", none_ttl = "30s", lock)]
async fn get_user(db: &SqlitePool, id: i64) -> sqlx::Result<Option<User>> {
    let select = sqlx::query_as("SELECT id, name FROM user WHERE id = ?").bind(id);
    let row: Option<(i64, String)> = select.fetch_optional(db).await?;
    Ok(row.map(|(id, name)| User { id, name }))
}

#[invalidates(get_user(id))]
async fn set_name(db: &SqlitePool, id: i64, name: &str) -> sqlx::Result<()> {
    let insert =
        "INSERT INTO user (id, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = excluded.name";
    sqlx::query(insert).bind(id).bind(name).execute(db).await.map(drop)
}

/// What every handler can reach.
#[derive(Clone)]
struct Service {
    db: SqlitePool,
    cache: Cache,
    metrics: PrometheusHandle,
}

impl Service {
    fn router(self) -> Router {
        let layer = self.cache.layer();
        Router::new()
            .route("/users/{id}", get(show))
            .route("/users/{id}", put(rename))
            .route("/health", get(health))
            .route("/metrics", get(metrics))
            .with_state(self)
            // Each request runs in the scope of this service's cache, so two services in one
            // program, as in tests, do not see each other's entries.
            .layer(layer)
    }
}

async fn show(State(service): State<Service>, Path(id): Path<i64>) -> Result<Response, Failure> {
    Ok(match get_user(&service.db, id).await? {
        Some(user) => Json(user).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn rename(
    State(service): State<Service>,
    Path(id): Path<i64>,
    name: String,
) -> Result<StatusCode, Failure> {
    set_name(&service.db, id, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Healthy whatever the cache says: without Redis the service is slower and just as right, and
/// restarting it does not bring Redis back. An operator reads in the body whether the cache is
/// there.
async fn health(State(service): State<Service>) -> Json<Stats> {
    Json(service.cache.stats())
}

async fn metrics(State(service): State<Service>) -> String {
    // The counters go to the recorder when they are asked for, not on each call.
    service.cache.stats().export();
    service.metrics.render()
}

/// The database's error, which only the log should tell in detail.
struct Failure(sqlx::Error);

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        eprintln!("{}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let url = std::env::var("CACHE_URL").unwrap_or_else(|_| "memory:".to_owned());
    // Every run has a database of its own, so it needs a namespace of its own too.
    let namespace = format!("axum:{}", std::process::id());
    let cache = Cache::builder().namespace(namespace).connect(&url)?;
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let service = Service { db: database().await?, cache, metrics };

    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:0")).await?;
    let bound = listener.local_addr()?;
    println!("serving http://{bound}");
    let stop = async move {
        if address.is_some() {
            _ = tokio::signal::ctrl_c().await;
        } else if let Err(error) = visit(bound).await {
            eprintln!("{error}");
        }
    };
    axum::serve(listener, service.clone().router()).with_graceful_shutdown(stop).await?;

    // The order matters: requests have ended by now; then what they left to do in the background,
    // which may still need the database; then the database.
    service.cache.shutdown().await?;
    service.db.close().await;
    println!("{} hits", hits(&service.cache));
    Ok(())
}

fn hits(cache: &Cache) -> u64 {
    cache.stats().function("get_user").map_or(0, cache_runtime::stats::FunctionStats::hits)
}

/// A visitor, for the sake of the example.
async fn visit(address: SocketAddr) -> Result<(), BoxError> {
    let requests = [
        ("PUT", "/users/7", "Ada"),
        ("GET", "/users/7", ""),
        ("GET", "/users/7", ""),
        ("PUT", "/users/7", "Grace"),
        ("GET", "/users/7", ""),
        ("GET", "/users/8", ""),
        ("GET", "/health", ""),
        ("GET", "/metrics", ""),
    ];
    for (method, path, body) in requests {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: example\r\nConnection: close\r\nContent-Length: \
                {length}\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
        let status = head.lines().next().unwrap_or_default();
        let first: String = body.chars().take(60).collect();
        println!("{method} {path:9} {length:6} {status} {first:?}");
    }
    Ok(())
}

async fn database() -> sqlx::Result<SqlitePool> {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    sqlx::raw_sql("CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT)").execute(&db).await?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower_service::Service as _;

    use super::*;

    async fn send(
        router: &mut Router,
        method: &str,
        path: &str,
        body: &str,
    ) -> (StatusCode, Vec<u8>) {
        let body = Body::from(body.to_owned());
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        let response = router.call(request).await.unwrap();
        let status = response.status();
        (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn a_renamed_user_is_read_with_the_new_name() {
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let service = Service { db: database().await.unwrap(), cache: Cache::in_memory(), metrics };
        let mut router = service.clone().router();
        for name in ["Ada", "Grace"] {
            let (status, _) = send(&mut router, "PUT", "/users/7", name).await;
            assert_eq!(status, StatusCode::NO_CONTENT);
            for _ in 0..2 {
                let (status, body) = send(&mut router, "GET", "/users/7", "").await;
                assert_eq!(status, StatusCode::OK);
                let user: User = serde_json::from_slice(&body).unwrap();
                assert_eq!(user, User { id: 7, name: name.to_owned() });
            }
        }
        let (status, _) = send(&mut router, "GET", "/users/8", "").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(hits(&service.cache), 2, "one for each name");
    }
}
