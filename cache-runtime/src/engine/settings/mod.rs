//! Which settings of a cache make no sense.

mod table;

use std::time::Duration;

pub use self::table::CacheBuilder;
pub(crate) use self::table::Settings;
use crate::engine::client_name;
use crate::error::{Error, ErrorKind};
use crate::store::{Failover, redis};
use crate::support::span::SHORTEST;

/// In bytes. The embedded store is divided into shards, and one that is smaller would have no room
/// for a small value.
const LEAST_CAPACITY: usize = 16 << 10;

/// A connection that is replaced more often is hardly used.
const LEAST_AGE: Duration = Duration::from_secs(1);

impl Settings {
    /// The settings, unless nothing could be cached with them.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        self.namespace.check()?;
        client_name::check(&self.client_name)?;
        for (name, span) in [("budget", self.budget), ("lease", self.lease), ("fence", self.fence)]
        {
            if span < SHORTEST {
                let message =
                    format!("`{name}` is less than a millisecond; nothing would be cached");
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        if self.max_connection_age.is_some_and(|age| age < LEAST_AGE) {
            let message = "`max_connection_age` is less than a second; leave it out for no limit";
            return Err(Error::new(ErrorKind::Config, message));
        }
        for (name, size, least) in [
            ("max_value_bytes", self.max_value_bytes, 1),
            ("capacity", self.capacity, LEAST_CAPACITY),
            ("max_in_flight", self.max_in_flight, 1),
            ("max_concurrent_loads", self.max_concurrent_loads.unwrap_or(1), 1),
        ] {
            if size < least {
                let message = format!(
                    "`{name}` is {size}, but must be at least {least}; to cache nothing, use \
                     `Cache::disabled()`"
                );
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        Ok(self)
    }

    /// Those of the connections.
    pub(super) fn of_connections(&self) -> redis::ConnectionSettings {
        let Self { max_in_flight, failover, max_connection_age, histograms, .. } = *self;
        redis::ConnectionSettings {
            client_name: self.client_name.clone(),
            password: self.password.clone(),
            max_in_flight,
            distrust: failover == Failover::Distrust,
            max_age: max_connection_age,
            histograms,
            runtime: self.connections_on.clone(),
            observer: self.observer.clone(),
            ..redis::ConnectionSettings::within(self.budget)
        }
    }
}
