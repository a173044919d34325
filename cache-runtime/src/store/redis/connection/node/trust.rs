//! Whether there is somebody at the other end of a connection that has not been used for a while.

use std::sync::Arc;

use tokio::time::{Instant, timeout, timeout_at};

use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::link::Link;
use crate::store::redis::connection::node::Node;
use crate::store::redis::connection::session::Session;
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

impl Node {
    /// Asks the server for a sign of life, and connects for that if there is no connection; by
    /// `deadline`.
    pub(in crate::store) async fn ping(&self, deadline: Deadline) -> Result<(), Cause> {
        if self.is_refusing() {
            self.breaker.hasten(self.plan.settings.connect_timeout, deadline).await;
        }
        let session = self.session(deadline).await;
        let answer = match session {
            Ok(mut session) => session.ping(deadline).await,
            Err(error) => Err(error),
        };
        answer.map_err(|error| match error {
            StoreError::Down => self.breaker.cause().unwrap_or(Cause::TimedOut),
            error => error.into(),
        })
    }

    /// Whether there was a sign of life of late.
    pub(super) fn trusts(&self, link: &Link, deadline: Deadline) -> bool {
        link.was_heard_within(self.plan.settings.trusted_for, deadline)
    }

    /// A connection that a sign of life was asked for, or another one: nobody has had one for a
    /// while, because this process stood still or the server does not answer.
    #[cold]
    pub(super) async fn verified(&self, deadline: Deadline) -> StoreResult<Session<'_>> {
        let checking = timeout_at(deadline, self.checking.lock());
        let _checking = checking.await.map_err(|_| StoreError::TimedOut)?;
        let link = self.breaker.link().as_ref().map(Arc::clone);
        if let Some(link) = link
            && !self.trusts(&link, deadline)
        {
            // Half of the time is left for another connection.
            let patience = deadline.saturating_duration_since(Instant::now()) / 2;
            let pong = timeout(patience.min(self.plan.settings.prompt), link.ping()).await;
            if pong != Ok(true) {
                self.breaker.give_up(&link);
                self.breaker.hasten(self.plan.settings.connect_timeout, deadline).await;
            }
        }
        match self.published() {
            Some(session) => Ok(session),
            None if self.breaker.is_refusing() => Err(StoreError::Down),
            None => self.connected(deadline).await,
        }
    }
}
