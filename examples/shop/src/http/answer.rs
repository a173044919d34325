//! How what a function returns becomes a response.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use cache_runtime::CallExt as _;
use cache_runtime::stats::Outcome;
use serde::Serialize;

use crate::failure::{Failure, Result};

pub(super) type Answer = Result<Response>;

/// The answer of a read that finds everything.
pub(super) async fn found<T: Serialize>(call: impl Future<Output = Result<T>>) -> Answer {
    let (found, outcome) = call.outcome().await;
    Ok((cache_status(&outcome), Json(found?)).into_response())
}

/// The answer of one that may find nothing.
pub(super) async fn perhaps<T: Serialize>(call: impl Future<Output = Result<Option<T>>>) -> Answer {
    let (found, outcome) = call.outcome().await;
    Ok(match found? {
        Some(found) => (cache_status(&outcome), Json(found)).into_response(),
        None => (cache_status(&outcome), Failure::Missing).into_response(),
    })
}

/// The answer of a write.
pub(super) async fn written<T: Serialize>(write: impl Future<Output = Result<T>>) -> Answer {
    Ok(Json(write.await?).into_response())
}

/// The answer of a write that says whether there was anything to write to.
pub(super) async fn done(write: impl Future<Output = Result<bool>>) -> Answer {
    if write.await? { Ok(Json(()).into_response()) } else { Err(Failure::Missing) }
}

/// Tells the client how its answer came about. One that took several calls tells of the first.
fn cache_status(outcome: &Outcome) -> [(&'static str, String); 1] {
    [("cache-status", outcome.cache_status())]
}
