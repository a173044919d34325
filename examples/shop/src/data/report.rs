//! A slow report: nobody waits for it but the first.
//!
//! After five seconds it is stale. Whoever asks then is served the old one at once, while one
//! process makes it anew in the background.

use cache_runtime::cached;
use serde::{Deserialize, Serialize};

use crate::data::pool::DbPool;
use crate::failure::Result;

/// What was sold of a category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sold {
    category: String,
    pieces: i64,
    cents: i64,
}

#[cached(key = "report:sales", ttl = "5s", stale_while_revalidate = "1h", lock)]
pub(crate) async fn sales(db: &DbPool) -> Result<Vec<Sold>> {
    // It reads every sale, and costs as much as that.
    let mut connection = db.queries(50).await?;
    let select = "SELECT category, sum(pieces), sum(pieces * sale.cents)
        FROM sale JOIN product ON product.id = sale.product GROUP BY category ORDER BY category";
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(select).fetch_all(&mut *connection).await?;
    let sold = |(category, pieces, cents)| Sold { category, pieces, cents };
    Ok(rows.into_iter().map(sold).collect())
}
