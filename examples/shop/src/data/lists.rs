//! Lists of products: their ids under tags from the parameters, and the rows by the batch.
//!
//! So a new price touches one row, whatever lists show it, and a new product only the lists of its
//! category.

use cache_runtime::cached;

use crate::data::pool::DbPool;
use crate::data::products::{Product, products};
use crate::failure::Result;

/// How many products are on a page.
const PAGE: u32 = 24;

#[cached(key = "category:<category>:<page>", ttl = "10m", tags = ["category:<category>"])]
pub(crate) async fn category_ids(db: &DbPool, category: &str, page: u32) -> Result<Vec<i64>> {
    let select = "SELECT id FROM product WHERE category = $1 ORDER BY id DESC LIMIT $2 OFFSET $3";
    let select = sqlx::query_scalar(select).bind(category).bind(PAGE).bind(page * PAGE);
    Ok(select.fetch_all(&mut *db.query().await?).await?)
}

pub(crate) async fn category(db: &DbPool, category: &str, page: u32) -> Result<Vec<Product>> {
    rows(db, &category_ids(db, category, page).await?).await
}

/// What everybody sees first: all callers at once ask for it when it has expired.
#[cached(key = "front-page", ttl = "1m", tags = ["products"], lock)]
pub(crate) async fn front_page_ids(db: &DbPool) -> Result<Vec<i64>> {
    let select = "SELECT product FROM sale GROUP BY product ORDER BY sum(pieces) DESC LIMIT $1";
    let select = sqlx::query_scalar(select).bind(PAGE);
    Ok(select.fetch_all(&mut *db.query().await?).await?)
}

pub(crate) async fn front_page(db: &DbPool) -> Result<Vec<Product>> {
    rows(db, &front_page_ids(db).await?).await
}

async fn rows(db: &DbPool, ids: &[i64]) -> Result<Vec<Product>> {
    let mut rows = products(db, ids).await?;
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}
