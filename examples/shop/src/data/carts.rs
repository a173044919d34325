//! Carts: write-through. A cart is mostly read right after it was written, by the same user, so the
//! write stores what it returns.

use cache_runtime::{cached, write_through};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, SqliteConnection};

use crate::data::pool::DbPool;
use crate::failure::Result;

/// What a user is about to buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Whose it is.
    pub user: i64,
    /// In the order of the products' ids.
    pub lines: Vec<Line>,
}

/// A product in a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its id.
    pub product: i64,
    /// How many of it.
    pub pieces: i64,
}

#[cached(key = "cart:<user>", ttl = "1h")]
pub(crate) async fn cart(db: &DbPool, user: i64) -> Result<Cart> {
    let lines = lines(&mut *db.query().await?, user).await?;
    Ok(Cart { user, lines })
}

/// Changes how many of a product are in the cart; with 0 it is taken out.
#[write_through(cart(user))]
pub(crate) async fn put_in(db: &DbPool, user: i64, line: &Line) -> Result<Cart> {
    let mut connection = db.queries(2).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let put = "INSERT INTO cart VALUES ($1, $2, $3)
        ON CONFLICT DO UPDATE SET pieces = excluded.pieces";
    let put = sqlx::query(put).bind(user).bind(line.product).bind(line.pieces);
    put.execute(&mut *transaction).await?;
    sqlx::query("DELETE FROM cart WHERE pieces <= 0").execute(&mut *transaction).await?;
    let lines = lines(&mut transaction, user).await?;
    transaction.commit().await?;
    Ok(Cart { user, lines })
}

pub(super) async fn lines(connection: &mut SqliteConnection, user: i64) -> Result<Vec<Line>> {
    let select = "SELECT product, pieces FROM cart WHERE user = $1 ORDER BY product";
    let rows: Vec<(i64, i64)> = sqlx::query_as(select).bind(user).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(product, pieces)| Line { product, pieces }).collect())
}
