//! One connection to one server.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use redis::Cmd;

use crate::store::redis::ConnectionSettings;
use crate::store::redis::connection::bulk::Bulk;
use crate::store::redis::connection::dial::{DriverTask, Watch, dial, log_in};
use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::multiplexer::Multiplexer;
use crate::store::redis::connection::server::Server;
use crate::store::redis::url::{Access, Endpoint};
use crate::support::budget::Deadline;

/// A connection with its driver. Dropping it closes the socket, and every call still on it ends at
/// once.
#[derive(Debug)]
pub(in crate::store) struct Link {
    /// Tells this connection from those before and after it.
    pub(in crate::store) epoch: u64,
    pub(in crate::store) endpoint: Endpoint,
    pub(in crate::store) connection: Multiplexer,
    pub(in crate::store) server: Server,
    /// A second connection, for large values.
    pub(in crate::store) bulk: Bulk,
    driver: DriverTask,
    born: Instant,
    /// When the server last gave a sign of life that it was asked for, in milliseconds since
    /// `born`.
    heard: AtomicU64,
}

impl Link {
    /// Connects. What `watch` gives is told when the connection ends. It is not called before there
    /// is a socket: an attempt that found none ends no connection.
    pub(in crate::store) async fn open<W: Watch>(
        endpoint: Endpoint,
        access: &Access,
        settings: &ConnectionSettings,
        epoch: u64,
        watch: impl FnOnce() -> W,
    ) -> Result<Self, Cause> {
        let stream = dial(&endpoint, access.tls, settings.connect_timeout).await?;
        let (connection, driver) = log_in(stream, access, watch()).await?;
        let server = Server::ask(&connection, access, &settings.client_name).await?;
        let (born, heard) = (Instant::now(), AtomicU64::new(0));
        let bulk = Bulk::new(endpoint.clone(), server.origin);
        Ok(Self { epoch, endpoint, connection, server, bulk, driver, born, heard })
    }

    /// Ends the connection, and with it every call on it.
    pub(in crate::store) fn close(&self) {
        self.driver.stop();
    }

    /// Whether the server answers, be it with an error.
    pub(in crate::store) async fn ping(&self) -> bool {
        let mut ping = Cmd::with_capacity(1, 4);
        ping.arg("PING");
        let answers = self.connection.clone().send(&ping).await.is_ok();
        if answers {
            self.heard.store(self.age_ms(), Relaxed);
        }
        answers
    }

    /// Whether the last sign of life that the server was asked for is no older than `age`. Asked by
    /// somebody whose `deadline` is yet to come: if it will be no older even then, nobody need look
    /// at the clock.
    pub(in crate::store) fn was_heard_within(&self, age: Duration, deadline: Deadline) -> bool {
        let heard = Duration::from_millis(self.heard.load(Relaxed));
        let until = self.born.checked_add(heard.saturating_add(age));
        until.is_none_or(|until| deadline.into_std() <= until || Instant::now() <= until)
    }

    /// How many bytes of a large reply have arrived; 0 while there is none.
    pub(in crate::store) fn progress(&self) -> u64 {
        self.driver.progress()
    }

    /// Whether more of a large reply has arrived since its progress was `before`.
    pub(in crate::store) fn has_progressed(&self, before: u64) -> bool {
        let progress = self.progress();
        progress != 0 && progress != before
    }

    fn age_ms(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
