//! How a builder makes a cache.

use crate::cache::Cache;
use crate::engine::{CacheBuilder, Core};
use crate::error::Error;

impl CacheBuilder {
    /// Creates a cache that uses the server at `url`; see [`Cache::connect`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the URL or a setting is malformed.
    pub fn connect(self, url: &str) -> Result<Cache, Error> {
        Ok(Core::connect(url, self.settings().checked()?)?.into())
    }

    /// Creates a cache in this process's memory; see [`Cache::in_memory`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a setting is malformed.
    pub fn in_memory(self) -> Result<Cache, Error> {
        Ok(Core::in_memory(self.settings().checked()?).into())
    }
}
