//! Users, who are found by their id and by their address: the row is stored once, and the address is
//! an alias of its entry.

use cache_runtime::{cached, invalidates};
use serde::{Deserialize, Serialize};

use crate::data::pool::DbPool;
use crate::failure::Result;

/// Who buys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// By which everything names the user.
    pub id: i64,
    /// The name that is shown.
    pub name: String,
    /// In lower case.
    pub email: String,
}

impl User {
    fn of((id, name, email): (i64, String, String)) -> Self {
        Self { id, name, email }
    }
}

#[cached(key = "user:<id>", ttl = "1h", none_ttl = "30s")]
pub(crate) async fn user(db: &DbPool, id: i64) -> Result<Option<User>> {
    let select = sqlx::query_as("SELECT id, name, email FROM user WHERE id = $1").bind(id);
    Ok(select.fetch_optional(&mut *db.query().await?).await?.map(User::of))
}

/// Nobody is remembered as well: whoever tries addresses in turn costs one query for each.
#[cached(
    key = "user:email:<email:trim:lower>",
    ttl = "1h",
    none_ttl = "30s",
    entry = |user: &User| user_key(&user.id),
)]
pub(crate) async fn find_user(db: &DbPool, email: &str) -> Result<Option<User>> {
    let select = sqlx::query_as("SELECT id, name, email FROM user WHERE email = $1");
    let select = select.bind(email.trim().to_lowercase());
    Ok(select.fetch_optional(&mut *db.query().await?).await?.map(User::of))
}

/// Touches the row, with every way to it, and the new way, of which it may be remembered that it
/// leads to nobody. Returns whether there is such a user.
#[invalidates(user(id), find_user(email))]
pub(crate) async fn set_email(db: &DbPool, id: i64, email: &str) -> Result<bool> {
    let update = sqlx::query("UPDATE user SET email = $2 WHERE id = $1");
    let update = update.bind(id).bind(email.trim().to_lowercase());
    Ok(update.execute(&mut *db.query().await?).await?.rows_affected() > 0)
}
