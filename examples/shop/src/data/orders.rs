//! An order: several writes in one transaction.
//!
//! Until the commit nobody else sees the new stock, so until then nobody may store the old one
//! either. `after_commit` keeps the entries of all these writes fenced, and invalidates them once
//! the transaction has ended.

use cache_runtime::{Cache, invalidates};
use sqlx::{Connection as _, Sqlite, Transaction};

use crate::data::carts::{self, Line};
use crate::data::pool::DbPool;
use crate::data::products;
use crate::failure::{Failure, Result};

/// Buys what is in the cart, all of it or nothing. Returns how many pieces that are.
pub(crate) async fn order(db: &DbPool, user: i64) -> Result<i64> {
    let work = async {
        let mut connection = db.queries(4).await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let lines = carts::lines(&mut transaction, user).await?;
        for line in &lines {
            sell(&mut transaction, user, line).await?;
        }
        empty(&mut transaction, user).await?;
        transaction.commit().await?;
        Ok(lines.iter().map(|line| line.pieces).sum())
    };
    Cache::current().after_commit(work).await
}

#[invalidates(products::product(line.product), tag = "product:<line.product>", in_transaction)]
async fn sell(transaction: &mut Transaction<'_, Sqlite>, user: i64, line: &Line) -> Result<()> {
    let take = "UPDATE product SET stock = stock - $2 WHERE id = $1 AND stock >= $2";
    let take = sqlx::query(take).bind(line.product).bind(line.pieces);
    if take.execute(&mut **transaction).await?.rows_affected() == 0 {
        return Err(Failure::Conflict("something in the cart is sold out"));
    }
    let sale = "INSERT INTO sale (user, product, pieces, cents)
        SELECT $1, id, $3, cents FROM product WHERE id = $2";
    let sale = sqlx::query(sale).bind(user).bind(line.product).bind(line.pieces);
    sale.execute(&mut **transaction).await?;
    Ok(())
}

#[invalidates(carts::cart(user), in_transaction)]
async fn empty(transaction: &mut Transaction<'_, Sqlite>, user: i64) -> Result<()> {
    let delete = sqlx::query("DELETE FROM cart WHERE user = $1").bind(user);
    delete.execute(&mut **transaction).await?;
    Ok(())
}
