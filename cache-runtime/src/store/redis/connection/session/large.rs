//! Calls with large values, which go by the
//! [second connection](crate::store::redis::connection::bulk).

use crate::store::redis::connection::multiplexer::Pack;
use crate::store::redis::connection::session::Session;
use crate::store::{Name, StoreError, StoreResult};
use crate::support::budget::Deadline;

impl Session<'_> {
    /// Whether a key is known to hold a large value, which is read by the second connection.
    pub(in crate::store) fn is_large(&self, name: Name<'_>) -> bool {
        self.node().large_keys().contain(name.hash) && !self.is_asking()
    }

    /// Whether a key that nothing is known of may hold a large value.
    pub(in crate::store) fn expects_large(&self) -> bool {
        self.node().large_keys().are_expected() && !self.is_asking()
    }

    /// Sends a command that is large, or whose reply is, by the second connection.
    pub(in crate::store) async fn call_in_bulk<P: Pack>(
        &mut self,
        command: P,
        by: Deadline,
    ) -> StoreResult<P::Replies> {
        let (node, link) = (self.node(), self.link().ok_or(StoreError::Down)?);
        let _turn = node.bulk_turns().wait(by).await?;
        link.bulk.call(command, &node.plan(), by).await
    }
}
