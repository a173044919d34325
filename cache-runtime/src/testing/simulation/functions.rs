//! The functions under test: of rows whose writes invalidate their keys, and of rows whose writes
//! invalidate a tag, one that the key tells or one that only the value does.

use std::collections::HashMap;

use crate as cache_runtime;
use crate::testing::simulation::world::{Database, Failed, Trace, Unshared, statement, update};
use crate::{Key, Tag, cached, invalidates, write_through};

/// Whether the row's writes invalidate its tag, and not its key.
pub(super) const fn is_tagged(row: u64) -> bool {
    row % 2 == 1
}

/// The tags that a version of a tagged row tells, of which some writes invalidate the first. The
/// other one changes now and then.
fn told(version: u64) -> [Tag; 2] {
    let other = version / 2 % 2;
    [told_tag(), Tag::builder().text("other:").part(&other).done()]
}

/// The tag that the one tagged row tells.
pub(super) fn told_tag() -> Tag {
    Tag::builder().text("told:").part(&1_u64).done()
}

#[cached(key = "row:<id>", ttl = "1h", crate = cache_runtime, skip(db))]
pub(super) async fn row(db: &Database, id: u64) -> Result<u64, Failed> {
    db.load(id).await
}

/// The same in another release.
#[cached(key = "row:<id>", ttl = "1h", version = 2, lock, crate = cache_runtime, skip(db))]
pub(super) async fn newer_row(db: &Database, id: u64) -> Result<u64, Failed> {
    db.load(id).await
}

#[cached(key = row_key(&id), ttl = "1h", lock, crate = cache_runtime, skip(db))]
pub(super) async fn locked_row(db: &Database, id: u64) -> Result<u64, Unshared> {
    Ok(db.load(id).await?)
}

#[cached(
    key = "member:<id>",
    ttl = "1h",
    tags = ["members", "group:<id>", |version: &u64| told(*version)],
    crate = cache_runtime,
    skip(db),
)]
pub(super) async fn member(db: &Database, id: u64) -> Result<u64, Failed> {
    db.load(id).await
}

#[cached(key = member_key(&id), ttl = "1h", lock, crate = cache_runtime, skip(db))]
pub(super) async fn locked_member(db: &Database, id: u64) -> Result<u64, Unshared> {
    Ok(db.load(id).await?)
}

/// The same in another release.
#[cached(
    key = "member:<id>",
    ttl = "1h",
    version = 2,
    tags = ["members", "group:<id>", |version: &u64| told(*version)],
    crate = cache_runtime,
    skip(db),
)]
pub(super) async fn newer_member(db: &Database, id: u64) -> Result<u64, Failed> {
    db.load(id).await
}

/// The key of either kind.
pub(super) fn any_key(id: u64) -> Key<u64> {
    if is_tagged(id) { member_key(&id) } else { row_key(&id) }
}

#[cached(batch(id in ids), key = any_key(*id), ttl = "1h", crate = cache_runtime, skip(db))]
pub(super) async fn rows(db: &Database, ids: &[u64]) -> Result<HashMap<u64, u64>, Failed> {
    db.load_all(ids).await
}

#[cached(batch(id in ids), key = any_key(*id), ttl = "1h", lock, crate = cache_runtime, skip(db))]
pub(super) async fn locked_rows(db: &Database, ids: &[u64]) -> Result<HashMap<u64, u64>, Unshared> {
    Ok(db.load_all(ids).await?)
}

fn of_kind(tagged: bool, ids: &[u64]) -> impl Iterator<Item = &u64> {
    ids.iter().filter(move |id| is_tagged(**id) == tagged)
}

/// Writes rows of both kinds.
#[invalidates(
    each(id in of_kind(false, ids)) row(id),
    each(id in of_kind(true, ids)) tag = "group:<id>",
    fence = "off",
    crate = cache_runtime
)]
pub(super) async fn several_unfenced(
    db: &Database,
    ids: &[u64],
    trace: &Trace,
) -> Result<(), Failed> {
    for id in ids {
        update(db, *id, trace).await;
    }
    Ok(())
}

/// The same behind fences.
#[invalidates(
    each(id in of_kind(false, ids)) row(id),
    each(id in of_kind(true, ids)) tag = "group:<id>",
    crate = cache_runtime
)]
pub(super) async fn several(db: &Database, ids: &[u64], trace: &Trace) -> Result<(), Failed> {
    for id in ids {
        update(db, *id, trace).await;
    }
    Ok(())
}

/// The writes of such rows. What they store is stored under the key, whatever the others
/// invalidate.
macro_rules! writes {
    ($module:ident, $read:ident, $id:ident, $($target:tt)*) => {
        pub(super) mod $module {
            use super::*;

            #[invalidates($($target)*, crate = cache_runtime)]
            pub(crate) async fn write(db: &Database, $id: u64, trace: &Trace) -> Result<(), Failed> {
                update(db, $id, trace).await;
                Ok(())
            }

            #[invalidates($($target)*, fence = "strict", crate = cache_runtime)]
            pub(crate) async fn strictly(
                db: &Database,
                $id: u64,
                trace: &Trace,
            ) -> Result<(), Failed> {
                update(db, $id, trace).await;
                Ok(())
            }

            #[invalidates($($target)*, fence = "off", crate = cache_runtime)]
            pub(crate) async fn unfenced(
                db: &Database,
                $id: u64,
                trace: &Trace,
            ) -> Result<(), Failed> {
                update(db, $id, trace).await;
                Ok(())
            }

            #[write_through($read($id) = *result, crate = cache_runtime)]
            pub(crate) async fn storing(
                db: &Database,
                $id: u64,
                trace: &Trace,
            ) -> Result<u64, Failed> {
                Ok(update(db, $id, trace).await)
            }

            #[write_through($read($id), fence = "strict", crate = cache_runtime)]
            pub(crate) async fn storing_strictly(
                db: &Database,
                $id: u64,
                trace: &Trace,
            ) -> Result<u64, Failed> {
                Ok(update(db, $id, trace).await)
            }

            #[invalidates($($target)*, keep_stale, crate = cache_runtime)]
            pub(crate) async fn keeping_stale(
                db: &Database,
                $id: u64,
                trace: &Trace,
            ) -> Result<(), Failed> {
                update(db, $id, trace).await;
                Ok(())
            }

            /// Commits, and then fails.
            #[invalidates($($target)*, crate = cache_runtime)]
            pub(crate) async fn failing(
                db: &Database,
                $id: u64,
                trace: &Trace,
            ) -> Result<(), Failed> {
                update(db, $id, trace).await;
                Err(Failed::default())
            }

            /// Fails before the commit, which comes all the same.
            #[invalidates($($target)*, in_doubt = |_| true, crate = cache_runtime)]
            pub(crate) async fn in_doubt(
                db: &Database,
                $id: u64,
                trace: &Trace,
            ) -> Result<(), Failed> {
                trace.begins();
                drop(statement(db, $id, trace));
                db.pause(db.pace().write).await;
                Err(Failed::default())
            }

            /// Changes a row in a transaction that its caller commits.
            #[invalidates($($target)*, in_transaction, crate = cache_runtime)]
            pub(crate) async fn in_transaction(
                db: &Database,
                $id: u64,
                trace: &Trace,
            ) -> Result<(), Failed> {
                trace.begins();
                db.pause(db.pace().write).await;
                Ok(())
            }
        }
    };
}

writes!(by_key, row, id, row(id));
writes!(by_tag, member, id, tag = "group:<id>");
writes!(by_told_tag, member, id, tag = "told:<id>");
