//! The commands, one file for each kind.
//!
//! A file says what a request is in Redis: the command or the call of a script that is sent for it,
//! and what the reply means. How it gets to the right node is up to [`topology`](super::topology).

mod acquire;
pub(crate) mod encode;
mod fill;
mod get;
mod info;
mod inspect;
mod lease;
pub(crate) mod pieces;
pub(crate) mod scan;
mod server;
mod tags;
mod without_scripts;
mod write;

use tokio::time::Instant;

pub(crate) use self::info::ServerInfo;
use self::pieces::Pieces;
use crate::metrics::{StoreFailure, StoreOperation};
use crate::store::protocol::request::{Effect, Keyed, Request};
use crate::store::redis::connection::session::Session;
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::support::trace::Trace;

/// A request that can be sent to Redis.
pub(crate) trait Command: Request {
    /// What it counts as.
    const OPERATION: StoreOperation;

    /// Sends it, and reads the reply. It can be sent again, to another node: so what depends on the
    /// primary, such as the origin in a record, is set here.
    fn send(
        request: &mut Keyed<'_, Self>,
        session: &mut Session<'_>,
        by: Deadline,
    ) -> impl Future<Output = StoreResult<Self::Reply>> + Send {
        async move {
            let pieces = request.request.pieces(by);
            let requests = std::slice::from_mut(request);
            let results = Self::send_all(requests, session, pieces).await;
            results.into_iter().next().unwrap_or(Err(StoreError::Unexpected))
        }
    }

    /// The same for many keys of one node. One result for each.
    fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> impl Future<Output = Vec<StoreResult<Self::Reply>>> + Send;

    /// When the pieces must have been answered in which many are sent.
    fn pieces(&self, by: Deadline) -> Pieces {
        Pieces::new(by)
    }
}

/// Sends a request, unless it has its reply already because nothing is to be stored.
pub(in crate::store) async fn send<R: Command>(
    request: &mut Keyed<'_, R>,
    session: &mut Session<'_>,
    by: Deadline,
) -> StoreResult<R::Reply> {
    if R::EFFECT != Effect::Reads && session.is_quiet() {
        if let Some(reply) = request.request.while_quiet() {
            return Ok(reply);
        }
        request.request.withhold();
    }
    let (node, begun) = (session.node(), Instant::now());
    let trace = Trace::round_trip(R::OPERATION.as_str(), 1);
    let reply = R::send(request, session, by).await;
    let failure = reply.as_ref().err();
    trace.failed(failure.and_then(StoreError::failure).map(StoreFailure::as_str));
    node.took(R::OPERATION, failure, begun.elapsed());
    reply
}

/// The same for many keys of one node.
pub(in crate::store) async fn send_all<R: Command>(
    requests: &mut [Keyed<'_, R>],
    session: &mut Session<'_>,
    pieces: Pieces,
) -> Vec<StoreResult<R::Reply>> {
    if R::EFFECT != Effect::Reads && session.is_quiet() {
        let replies = requests.iter().map(|it| it.request.while_quiet().map(Ok));
        if let Some(replies) = replies.collect() {
            return replies;
        }
        for it in &mut *requests {
            it.request.withhold();
        }
    }
    let (node, begun) = (session.node(), Instant::now());
    let trace = Trace::round_trip(R::OPERATION.as_str(), requests.len());
    let replies = R::send_all(requests, session, pieces).await;
    let failure = replies.iter().find_map(|reply| reply.as_ref().err());
    trace.failed(failure.and_then(StoreError::failure).map(StoreFailure::as_str));
    node.took(R::OPERATION, failure, begun.elapsed());
    replies
}
