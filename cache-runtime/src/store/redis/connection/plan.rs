//! Where a server is, and how to get in.

use crate::store::redis::ConnectionSettings;
use crate::store::redis::topology::discovery::Source;
use crate::store::redis::url::Access;

/// Where to connect, and how.
#[derive(Debug)]
pub(in crate::store) struct Plan {
    pub(in crate::store) source: Source,
    pub(in crate::store) access: Access,
    pub(in crate::store) settings: ConnectionSettings,
}
