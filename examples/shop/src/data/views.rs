//! Views of products: write-behind, since they come too fast for a row each.
//!
//! A view is acknowledged once it is in the queue, and delivered at least once. Counting it twice
//! would be wrong, so the sink stores how far it has got beside its counters, in one transaction.

use cache_runtime::queue::Position;
use cache_runtime::{Batch, cached, write_behind};
use serde::{Deserialize, Serialize};
use sqlx::Connection as _;

use crate::data::pool::DbPool;
use crate::failure::Result;

type SinkResult = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Somebody has looked at a product.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct View {
    product: i64,
    views: i64,
}

impl View {
    /// Merges two of the same product into one.
    fn add(&mut self, newer: &Self) {
        self.views += newer.views;
    }
}

/// Returns when the view is safe in the queue.
pub(crate) async fn view(product: i64) -> Result<()> {
    Ok(save_views_queue().push(View { product, views: 1 }).await?)
}

#[write_behind(
    queue = "views",
    key = "<view.product>",
    merge = View::add,
    linger = "200ms",
    partitions = 4
)]
pub(crate) async fn save_views(db: &DbPool, views: Batch<View>) -> SinkResult {
    let mut connection = db.queries(3).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let stored = "SELECT position FROM progress WHERE partition = $1";
    let stored = sqlx::query_scalar(stored).bind(views.partition());
    let stored: Option<String> = stored.fetch_one(&mut *transaction).await?;
    // Everything up to here has been counted. A text that does not parse must not pass for the
    // beginning: it is an error.
    let stored = stored.map(|text| text.parse::<Position>()).transpose()?;

    let partition = views.partition();
    let views = views.after(stored);
    // `None` for a view that bypassed the queue because the server could not be reached.
    if let Some(position) = views.position() {
        let store = "UPDATE progress SET position = $2 WHERE partition = $1";
        let store = sqlx::query(store).bind(partition).bind(position.to_string());
        store.execute(&mut *transaction).await?;
    }
    for View { product, views } in views.into_items() {
        let add = "INSERT INTO product_views VALUES ($1, $2)
            ON CONFLICT DO UPDATE SET views = views + excluded.views";
        sqlx::query(add).bind(product).bind(views).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// How often a product has been looked at. What is still in the queue is missing, so a second more
/// does no harm.
#[cached(key = "views:<product>", ttl = "1s")]
pub(crate) async fn views(db: &DbPool, product: i64) -> Result<i64> {
    let select = sqlx::query_scalar("SELECT views FROM product_views WHERE product = $1");
    let views = select.bind(product).fetch_optional(&mut *db.query().await?).await?;
    Ok(views.unwrap_or_default())
}
