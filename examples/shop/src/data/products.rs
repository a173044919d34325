//! Products: cache-aside.
//!
//! One caller in all processes loads a product that is missing (`lock`), and what is not there is
//! remembered as well (`none_ttl`), so that a link to a product that has gone costs no query each
//! time. If the database fails, a price of the last hour is better than none (`stale_if_error`).

use std::collections::HashMap;

use cache_runtime::{cached, invalidates};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder, Row as _, Sqlite};

use crate::data::pool::DbPool;
use crate::failure::Result;

/// Something to buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// By which everything names the product.
    pub id: i64,
    /// The name that is shown.
    pub name: String,
    /// One of the [categories](crate::CATEGORIES).
    pub category: String,
    /// The price.
    pub cents: i64,
    /// How many there are.
    pub stock: i64,
}

impl FromRow<'_, SqliteRow> for Product {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            category: row.try_get("category")?,
            cents: row.try_get("cents")?,
            stock: row.try_get("stock")?,
        })
    }
}

#[cached(key = "product:<id>", ttl = "10m", none_ttl = "30s", stale_if_error = "1h", lock)]
pub(crate) async fn product(db: &DbPool, id: i64) -> Result<Option<Product>> {
    let select = sqlx::query_as("SELECT * FROM product WHERE id = $1").bind(id);
    Ok(select.fetch_optional(&mut *db.query().await?).await?)
}

/// Many at once, in the entries of [`product`]: one round trip finds those that are there, and one
/// query loads the others.
#[cached(batch(id in ids), key = product_key(id), ttl = "10m", none_ttl = "30s")]
pub(crate) async fn products(db: &DbPool, ids: &[i64]) -> Result<HashMap<i64, Product>> {
    let mut select = QueryBuilder::<Sqlite>::new("SELECT * FROM product WHERE id IN (");
    let mut list = select.separated(", ");
    for id in ids {
        list.push_bind(id);
    }
    select.push(")");
    let rows: Vec<Product> = select.build_query_as().fetch_all(&mut *db.query().await?).await?;
    Ok(rows.into_iter().map(|product| (product.id, product)).collect())
}

/// Returns whether there is such a product.
#[invalidates(product(id), tag = "product:<id>")]
pub(crate) async fn set_price(db: &DbPool, id: i64, cents: i64) -> Result<bool> {
    let update = sqlx::query("UPDATE product SET cents = $2 WHERE id = $1").bind(id).bind(cents);
    Ok(update.execute(&mut *db.query().await?).await?.rows_affected() > 0)
}

/// A product that is not for sale yet.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Draft {
    name: String,
    category: String,
    cents: i64,
    stock: i64,
}

/// Returns its id. It may have been asked for before, so its absence may be remembered.
#[invalidates(product(result), tag = "category:<draft.category>", tag = "products")]
pub(crate) async fn add_product(db: &DbPool, draft: &Draft) -> Result<i64> {
    let insert = "INSERT INTO product (name, category, cents, stock) VALUES ($1, $2, $3, $4)
        RETURNING id";
    let insert = sqlx::query_scalar(insert).bind(&draft.name).bind(&draft.category);
    let insert = insert.bind(draft.cents).bind(draft.stock);
    Ok(insert.fetch_one(&mut *db.query().await?).await?)
}
