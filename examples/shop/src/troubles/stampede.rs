//! The front page has expired, and everybody is there.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::data::lists::{front_page_ids, front_page_ids_key};
use crate::failure::Result;
use crate::shop::Shop;

const CALLERS: usize = 1_000;

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct Stampede {
    callers: usize,
    /// Callers that got an answer.
    answered: usize,
    /// How often the query ran for all of them.
    loads: u64,
    took_ms: u128,
}

pub(super) async fn stampede(State(shop): State<Shop>) -> Result<Json<Stampede>> {
    shop.cache.invalidate(&front_page_ids_key()).await?;
    let loads = || shop.cache.stats().loads("front_page_ids");
    let (before, begin) = (loads(), Instant::now());
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (cache, db) = (shop.cache.clone(), shop.db.clone());
        callers.spawn(async move { cache.scope(front_page_ids(&db)).await.is_ok() });
    }
    let answers = callers.join_all().await;
    Ok(Json(Stampede {
        callers: CALLERS,
        answered: answers.into_iter().filter(|answered| *answered).count(),
        loads: loads() - before,
        took_ms: begin.elapsed().as_millis(),
    }))
}
