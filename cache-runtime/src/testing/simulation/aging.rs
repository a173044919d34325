//! The entries of `functions`, read by functions that look at their age.

use crate as cache_runtime;
use crate::cached;
use crate::testing::simulation::functions::{member_key, newer_member_key, newer_row_key, row_key};
use crate::testing::simulation::world::{Database, Failed};

macro_rules! by_age {
    ($module:ident, $key:ident) => {
        pub(super) mod $module {
            use super::*;

            /// Soon stale, and refreshed in the background.
            #[cached(
                                key = $key(&id),
                                ttl = "5ms",
                                stale_while_revalidate = "300ms",
                                crate = cache_runtime,
                                skip(db),
                            )]
            pub(crate) async fn revalidated(db: &Database, id: u64) -> Result<u64, Failed> {
                db.load(id).await
            }

            /// Stale only where a write makes it that.
            #[cached(
                                key = $key(&id),
                                ttl = "1h",
                                stale_while_revalidate = "300ms",
                                crate = cache_runtime,
                                skip(db),
                            )]
            pub(crate) async fn lagging(db: &Database, id: u64) -> Result<u64, Failed> {
                db.load(id).await
            }

            /// Served stale where the load fails.
            #[cached(
                                key = $key(&id),
                                ttl = "5ms",
                                stale_if_error = "300ms",
                                lock,
                                crate = cache_runtime,
                                skip(db),
                            )]
            pub(crate) async fn forgiven(db: &Database, id: u64) -> Result<u64, Failed> {
                db.load(id).await
            }

            /// Served stale where the load takes too long.
            #[cached(
                                key = $key(&id),
                                ttl = "5ms",
                                stale_if_error = "300ms",
                                load_timeout = "5ms",
                                crate = cache_runtime,
                                skip(db),
                            )]
            pub(crate) async fn hurried(db: &Database, id: u64) -> Result<u64, Failed> {
                db.load(id).await
            }

            /// Refreshed before its time; its errors are remembered for a moment.
            #[cached(
                                key = $key(&id),
                                ttl = "30ms",
                                early = 5.0,
                                error_ttl = |_: &Failed| Some(std::time::Duration::from_millis(5)),
                                crate = cache_runtime,
                                skip(db),
                            )]
            pub(crate) async fn early(db: &Database, id: u64) -> Result<u64, Failed> {
                db.load(id).await
            }
        }
    };
}

by_age!(of_row, row_key);
by_age!(of_member, member_key);

/// In another release.
#[cached(
    key = newer_row_key(&id),
    ttl = "5ms",
    stale_while_revalidate = "300ms",
    crate = cache_runtime,
    skip(db),
)]
pub(super) async fn newer_row_revalidated(db: &Database, id: u64) -> Result<u64, Failed> {
    db.load(id).await
}

#[cached(
    key = newer_member_key(&id),
    ttl = "5ms",
    stale_while_revalidate = "300ms",
    crate = cache_runtime,
    skip(db),
)]
pub(super) async fn newer_member_revalidated(db: &Database, id: u64) -> Result<u64, Failed> {
    db.load(id).await
}
