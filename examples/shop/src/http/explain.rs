//! Why a key is as it is, for those who look at the dashboard.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use cache_runtime::Key;
use cache_runtime::inspect::Explanation;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};
use crate::shop::Shop;

/// No key of the shop is nearly as long.
const LONGEST: usize = 512;

/// Not measured as a request of the shop, which it is not.
pub(super) fn router() -> Router<Shop> {
    Router::new().route("/explain", get(explain))
}

#[derive(Deserialize)]
struct Asked {
    key: String,
}

/// What is known of an entry, as a paragraph and as fields.
#[derive(Serialize)]
struct Explained {
    sentence: String,
    #[serde(flatten)]
    fields: Explanation,
}

async fn explain(
    State(shop): State<Shop>,
    asked: std::result::Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Explained>> {
    let Ok(Query(Asked { key })) = asked else {
        return Err(Failure::Unclear("which key? Ask for /api/explain?key=product:7"));
    };
    if key.is_empty() || key.len() > LONGEST || key.contains(char::is_control) {
        return Err(Failure::Unclear("a key has 1 to 512 bytes, as product:7, and no line breaks"));
    }
    let fields = shop.cache.explain(&Key::from_text(key)).await?;
    Ok(Json(Explained { sentence: fields.to_string(), fields }))
}
