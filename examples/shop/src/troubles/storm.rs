//! Everything is invalidated, again and again, while it is read.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use cache_runtime::tag;
use serde::Serialize;

use crate::data::products::product_key;
use crate::data::seed::CATEGORIES;
use crate::failure::Result;
use crate::shop::Shop;

const ROUNDS: usize = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct Storm {
    /// Keys and tags, each as often as it was.
    invalidated: usize,
    took_ms: u128,
}

/// What Redis cannot be told now is told later, so an outage ends no storm.
pub(super) async fn storm(State(shop): State<Shop>) -> Result<Json<Storm>> {
    let products: Vec<_> = (1..=shop.size.products).map(|id| product_key(&id)).collect();
    let mut tags: Vec<_> = CATEGORIES.iter().map(|it| tag!("category:<it>")).collect();
    tags.push(tag!("products"));
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        for tag in &tags {
            let _ = shop.cache.invalidate_tag(tag).await;
        }
        let _ = shop.cache.invalidate(&products).await;
        tokio::time::sleep(PAUSE).await;
    }
    let invalidated = ROUNDS * (products.len() + tags.len());
    Ok(Json(Storm { invalidated, took_ms: begin.elapsed().as_millis() }))
}
