//! Large values, which have a connection of their own.
//!
//! The bytes of one connection are in one order: behind a value of 50 MB, every other call would
//! wait for as long as that takes, and a breaker would take the server for one that is down. So a
//! [large](crate::store::redis::connection::large) value is sent by a second connection, and so is
//! the question for a key that is known to hold one; the breaker, which judges the first one, does
//! not hear of it.
//!
//! A key that nothing is known of is read by the first connection. In a process that has never seen
//! a large value, the command is a `GET`, or an `MGET` for many. If a large value comes of it,
//! calls get a new first connection as soon as one of them has waited in vain. From then on, the
//! command is a `GETRANGE` that brings no more than it takes to tell that a value is large, which
//! is then read by the second connection. A `GETRANGE` costs the server about a sixth more than a
//! `GET`, which is why it is not the rule.
//!
//! The second connection is made when it is first needed, to the same server, and ends with the
//! first.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};

use tokio::time::timeout_at;

use crate::record::Origin;
use crate::store::redis::connection::dial::{DriverTask, Watch, dial, log_in};
use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::multiplexer::{Multiplexer, Pack};
use crate::store::redis::connection::plan::Plan;
use crate::store::redis::connection::server::Server;
use crate::store::redis::url::Endpoint;
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

/// Calls in a row without an answer after which the second connection is made anew.
const STRIKES: u32 = 8;

/// The second connection of a link, if it has been needed.
#[derive(Debug)]
pub(in crate::store) struct Bulk {
    /// Where the first one leads.
    endpoint: Endpoint,
    /// The server that was found there.
    origin: Origin,
    open: tokio::sync::Mutex<Option<Open>>,
    /// Calls in a row that were not answered in time.
    strikes: AtomicU32,
}

#[derive(Debug)]
struct Open {
    connection: Multiplexer,
    has_ended: Arc<AtomicBool>,
    _driver: DriverTask,
}

/// Says that a connection has ended.
struct Ended(Arc<AtomicBool>);

impl Watch for Ended {}

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl Bulk {
    /// That of a link to this server.
    pub(in crate::store) fn new(endpoint: Endpoint, origin: Origin) -> Self {
        Self { endpoint, origin, open: tokio::sync::Mutex::default(), strikes: AtomicU32::new(0) }
    }

    /// The connection, which is made if there is none.
    async fn connection(&self, plan: &Plan) -> Result<Multiplexer, Cause> {
        let mut open = self.open.lock().await;
        let is_of_use =
            |open: &&Open| !open.has_ended.load(Relaxed) && self.strikes.load(Relaxed) < STRIKES;
        if let Some(open) = open.as_ref().filter(is_of_use) {
            return Ok(open.connection.clone());
        }
        *open = None;
        self.strikes.store(0, Relaxed);
        let Plan { access, settings, .. } = plan;
        let stream = dial(&self.endpoint, access.tls, settings.connect_timeout).await?;
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = Ended(Arc::clone(&has_ended));
        let (connection, driver) = log_in(stream, access, ended).await?;
        // The name may stand for another server by now.
        let server = Server::ask(&connection, access, &settings.client_name).await?;
        if server.origin != self.origin {
            return Err(Cause::Topology("another server than before"));
        }
        *open = Some(Open { connection: connection.clone(), has_ended, _driver: driver });
        Ok(connection)
    }

    /// Sends a command by it.
    pub(in crate::store) async fn call<P: Pack>(
        &self,
        command: P,
        plan: &Plan,
        by: Deadline,
    ) -> StoreResult<P::Replies> {
        let connection = timeout_at(by, self.connection(plan)).await;
        let connection =
            connection.map_err(|_| StoreError::TimedOut)?.map_err(|_| StoreError::Down)?;
        match timeout_at(by, connection.send(command)).await {
            Ok(Ok(reply)) => {
                self.strikes.store(0, Relaxed);
                Ok(reply)
            }
            Ok(Err(_)) => Err(StoreError::Lost),
            Err(_) => {
                self.strikes.fetch_add(1, Relaxed);
                Err(StoreError::TimedOut)
            }
        }
    }
}
