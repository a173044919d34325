//! What every handler can reach.

use std::sync::Arc;

use cache_runtime::Cache;

use crate::dashboard::Board;
use crate::data::pool::DbPool;
use crate::data::seed::Size;
use crate::observed::Observed;
use crate::stop::Stopped;
use crate::troubles::Troubles;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    pub(crate) db: DbPool,
    /// How many rows there were at first.
    pub(crate) size: Size,
    pub(crate) cache: Cache,
    /// For requests that want nothing cached.
    pub(crate) uncached: Cache,
    pub(crate) observed: Arc<Observed>,
    pub(crate) troubles: Arc<Troubles>,
    pub(crate) board: Arc<Board>,
    /// What has no end of its own ends when the service does.
    pub(crate) stopped: Stopped,
}
