//! Connections for calls.

use tokio::time::timeout_at;

use crate::store::redis::connection::node::Node;
use crate::store::redis::connection::session::Session;
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

impl Node {
    /// A connection for calls that nothing has to be done for. It is what nearly every call gets,
    /// and it is found without a future.
    pub(in crate::store) fn session_at_hand(&self, deadline: Deadline) -> Option<Session<'_>> {
        let link = self.breaker.link();
        let link = link.as_ref().filter(|link| self.trusts(link, deadline))?;
        Some(Session::new(self, link))
    }

    /// A connection for calls, immediately; or by `deadline` while the first attempt to connect is
    /// in progress.
    pub(in crate::store) async fn session(&self, deadline: Deadline) -> StoreResult<Session<'_>> {
        match self.session_at_hand(deadline) {
            Some(session) => Ok(session),
            None if self.is_published() => Box::pin(self.verified(deadline)).await,
            // Nothing is boxed for that: for as long as the server is down, calls get no further.
            None if self.breaker.is_refusing() => Err(StoreError::Down),
            None => Box::pin(self.connected(deadline)).await,
        }
    }

    /// The present connection, whether or not there was a sign of life of late.
    pub(super) fn published(&self) -> Option<Session<'_>> {
        self.breaker.link().as_ref().map(|link| Session::new(self, link))
    }

    #[cold]
    pub(super) async fn connected(&self, deadline: Deadline) -> StoreResult<Session<'_>> {
        if self.breaker.is_unsupervised() {
            self.supervise()?;
        }
        if self.breaker.is_connecting() {
            timeout_at(deadline, self.breaker.settled()).await.map_err(|_| StoreError::TimedOut)?;
        }
        self.published().ok_or(StoreError::Down)
    }
}
