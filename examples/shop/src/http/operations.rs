//! For those who operate the service.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use cache_runtime::Stats;

use crate::shop::Shop;

pub(super) fn router() -> Router<Shop> {
    Router::new().route("/healthz", get(health)).route("/metrics", get(metrics))
}

/// Healthy whatever the cache says: without Redis the service is slower and just as right, and
/// restarting it does not bring Redis back. An operator reads in the body whether the cache is
/// there.
async fn health(State(shop): State<Shop>) -> Json<Stats> {
    Json(shop.cache.stats())
}

async fn metrics(State(shop): State<Shop>) -> Result<Response, StatusCode> {
    let told = shop.observed.render(&shop.db).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], told).into_response())
}
