//! How a cache is made: what its page in the documentation begins with.

use crate::cache::Cache;
use crate::engine::{CacheBuilder, Core, Settings};
use crate::error::Error;

impl Cache {
    /// Creates a cache that uses a server.
    ///
    /// | URL | server |
    /// |---|---|
    /// | `redis://[[user]:[password]@]host[:port][/db]` | Redis or Valkey |
    /// | `rediss://…` | the same over TLS (feature `tls`) |
    /// | `redis+unix:///path/to.sock` | through a Unix socket |
    /// | `redis+sentinel://host,host/name[/db]` | the primary of that name, found through its sentinels |
    /// | `redis+cluster://host,host` | a Redis Cluster, found through some of its nodes |
    /// | `memory:` | none: this process's memory |
    ///
    /// Separate several hosts by commas, each with its own port if that is not the default one.
    /// User and password go before the first host, percent-encoded: `app:secret@`, `app:@` for a
    /// user that needs no password, `:secret@` for the user `default`. `rediss+sentinel` and
    /// `rediss+cluster` are the same over TLS. `valkey` and `valkeys` are accepted for `redis` and
    /// `rediss`.
    ///
    /// In a cluster, each entry lives on the node of its key, and no hash tags are needed. The
    /// cache follows slots as they move, and replicas as they are promoted.
    /// [`when_redis_fails`](crate::guide::when_redis_fails) says what it means to lose a primary.
    ///
    /// This does not connect yet. The connection is made on first use and in the background, so a
    /// program can start while Redis is down, and begins to cache when Redis is up.
    ///
    /// # Errors
    ///
    /// Only [`ErrorKind::Config`](crate::ErrorKind::Config), if the URL is malformed.
    pub fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().connect(url)
    }

    /// Starts building a cache with settings other than the defaults.
    pub fn builder() -> CacheBuilder {
        CacheBuilder::default()
    }

    /// Creates a cache in this process's memory that follows the same protocol: for programs
    /// without Redis, and for tests.
    #[must_use]
    pub fn in_memory() -> Self {
        Core::in_memory(Settings::default()).into()
    }

    /// Creates a cache that caches nothing: every function runs its body.
    #[must_use]
    pub fn disabled() -> Self {
        Core::disabled().into()
    }
}
