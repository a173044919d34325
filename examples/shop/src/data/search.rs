//! Search: what is found depends on rows that only the result can name, so it tells its tags.

use cache_runtime::{cached, tag};

use crate::data::pool::DbPool;
use crate::data::products::Product;
use crate::failure::Result;

/// A new price removes the results that show it, and no others; a new product all of them, because
/// it may belong in any.
#[cached(
    key = "search:<text:trim:lower>",
    ttl = "5m",
    tags = ["products", |found: &Vec<Product>| found.iter().map(|it| tag!("product:<it.id>"))],
)]
pub(crate) async fn search(db: &DbPool, text: &str) -> Result<Vec<Product>> {
    // One query that reads the whole table costs as much as several that do not.
    let mut connection = db.queries(3).await?;
    let select = "SELECT * FROM product WHERE instr(lower(name), $1) > 0 ORDER BY id DESC LIMIT 12";
    let select = sqlx::query_as(select).bind(text.trim().to_lowercase());
    Ok(select.fetch_all(&mut *connection).await?)
}
