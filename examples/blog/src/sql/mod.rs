//! Every statement, once. The variants differ in which of these functions they call, and in what
//! they keep of the answers.

use sqlx::{QueryBuilder, Sqlite};

pub(crate) mod joined;
pub(crate) mod single;
pub(crate) mod writes;

/// How many articles a page and a feed have.
pub(crate) const PAGE: i64 = 20;

/// Appends `(?, ?, ..)`.
fn push_ids(query: &mut QueryBuilder<'_, Sqlite>, ids: &[i64]) {
    query.push("(");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    query.push(")");
}
