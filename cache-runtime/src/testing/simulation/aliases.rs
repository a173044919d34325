//! Reads of the same rows by aliases, one for each row.

use crate as cache_runtime;
use crate::testing::simulation::functions::any_key;
use crate::testing::simulation::world::{Database, Failed};
use crate::{Key, cached};

macro_rules! alias {
    ($name:ident, $key:tt, $row:tt $($option:tt)*) => {
        #[cached(
            key = $key,
            ttl = "1h",
            entry = |_: &u64| any_key($row),
            crate = cache_runtime,
            skip(db)
            $($option)*
        )]
        async fn $name(db: &Database) -> Result<u64, Failed> {
            db.load($row).await
        }
    };
}

alias!(first, "at:0", 0);
alias!(second, "at:1", 1);
alias!(third, "at:2", 2, lock);

pub(super) async fn find(db: &Database, row: u64) -> Result<u64, Failed> {
    match row {
        0 => first(db).await,
        1 => second(db).await,
        _ => third(db).await,
    }
}

pub(super) fn alias_key(row: u64) -> Key<u64> {
    match row {
        0 => first_key(),
        1 => second_key(),
        _ => third_key(),
    }
}
