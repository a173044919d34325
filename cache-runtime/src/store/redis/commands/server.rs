//! What is asked of a server itself.

use redis::Cmd;

use crate::metrics::StoreOperation;
use crate::store::redis::commands::Command;
use crate::store::redis::commands::pieces::Pieces;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::{Keyed, Now, StoreError, StoreResult};
use crate::support::budget::Deadline;

impl Session<'_> {
    /// Asks for a sign of life, of which an error is none.
    pub(in crate::store) async fn ping(&mut self, deadline: Deadline) -> StoreResult<()> {
        let mut ping = Cmd::with_capacity(1, 4);
        ping.arg("PING");
        match self.call(&ping, deadline).await? {
            RespValue::SimpleString(_) | RespValue::BulkString(_) => Ok(()),
            reply => Err(self.refused(reply)),
        }
    }
}

impl Command for Now {
    const OPERATION: StoreOperation = StoreOperation::Now;

    async fn send(
        _: &mut Keyed<'_, Self>,
        session: &mut Session<'_>,
        by: Deadline,
    ) -> StoreResult<u64> {
        let mut time = Cmd::with_capacity(1, 4);
        time.arg("TIME");
        let reply = session.read(&time, by).await?;
        in_millis(&reply).ok_or_else(|| session.refused(reply))
    }

    /// All keys of one server have one time.
    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<u64>> {
        let now = match (requests.first_mut(), pieces.deadline(0)) {
            (Some(request), Some(by)) => Self::send(request, session, by).await,
            _ => Err(StoreError::TimedOut),
        };
        vec![now; requests.len()]
    }
}

/// The reply to `TIME`, which is in seconds and microseconds.
fn in_millis(time: &RespValue) -> Option<u64> {
    let number = |part: &RespValue| match part {
        RespValue::BulkString(digits) => std::str::from_utf8(digits).ok()?.parse::<u64>().ok(),
        _ => None,
    };
    match time {
        RespValue::Array(parts) => match parts.as_slice() {
            [seconds, micros] => Some(number(seconds)? * 1000 + number(micros)? / 1000),
            _ => None,
        },
        _ => None,
    }
}
