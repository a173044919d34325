//! Pushes that wait for replicas.

use std::time::Duration;

use redis::{Cmd, Pipeline};
use tokio::time::timeout_at;

use crate::store::queue::redis::connection::{GRACE, Line};
use crate::store::queue::redis::{PUSH, call, reply};
use crate::store::queue::{Added, Addition, Lane};
use crate::store::redis::commands::encode::millis;
use crate::store::redis::connection::refusal::is_error;
use crate::store::redis::connection::server::has_sent;
use crate::store::redis::connection::wire::RespValue;
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

/// For how long a server remembers a producer that is silent, as in `push.lua`.
const REMEMBERED: Duration = Duration::from_secs(3600);

impl Line {
    /// Appends items of one producer, and waits until so many replicas have them: how many have.
    /// The items are there also if the server does not say so, as it has become a replica itself
    /// (`UNBLOCKED`) or does not let this user ask.
    ///
    /// `WAIT` counts the replicas that have acknowledged what the server had sent when the item was
    /// appended. A server without a replica sends nothing, and counts no bytes: then its first
    /// replica is counted as soon as it has been sent a copy of everything, although it has yet to
    /// load that, and has nothing if the server is lost. What is written once there is a replica is
    /// sent, and acknowledged after the copy. So it is for an item that was there already: to find
    /// it writes nothing that replicas would have to acknowledge.
    pub(crate) async fn push_replicated(
        &self,
        lane: &Lane,
        additions: &[Addition<'_>],
        replicas: u32,
        by: Deadline,
    ) -> StoreResult<(Vec<Added>, StoreResult<u32>)> {
        let call = call::push(&PUSH, lane, additions, self.origin);
        let mut push = self.call_and_wait(&call.by_sha(), replicas, by).await?;
        if is_error(&push.reply, "NOSCRIPT") {
            push = self.call_and_wait(&call.by_body(), replicas, by).await?;
        }
        let Copied { reply, mut have, is_certain } = push;
        let added = reply::added(&self.answer(reply)?, additions.len())?;
        let producer = additions.first().map_or("", |addition| addition.producer);
        let has_written = added.iter().any(|added| matches!(added, Added::New(_)));
        if !(is_certain && has_written) && have.as_ref().is_ok_and(|have| *have >= replicas) {
            let mut touch = Cmd::new();
            touch.arg("EXPIRE").arg(producer).arg(REMEMBERED.as_secs());
            let touched = self.call_and_wait(&touch, replicas, by).await;
            have = touched.and_then(|touch| self.answer(touch.reply).and(touch.have));
        }
        Ok((added, have))
    }

    async fn call_and_wait(
        &self,
        command: &Cmd,
        replicas: u32,
        by: Deadline,
    ) -> StoreResult<Copied> {
        let patience = by.saturating_duration_since(Deadline::now());
        let (mut info, mut wait) = (redis::cmd("INFO"), redis::cmd("WAIT"));
        info.arg("replication");
        wait.arg(replicas).arg(millis(patience));
        let mut all = Pipeline::new();
        all.add_command(command.clone()).add_command(info).add_command(wait);
        let connection = self.connection.clone();
        let replies = connection.send(&all);
        let replies = match timeout_at(by + GRACE, replies).await {
            Ok(Ok(replies)) => replies,
            Ok(Err(_)) => return Err(StoreError::Lost),
            Err(_) => return Err(StoreError::TimedOut),
        };
        let Ok([reply, info, have]) = <[RespValue; 3]>::try_from(replies) else {
            return Err(StoreError::Unexpected);
        };
        let have = self.answer(have).and_then(|have| match have {
            RespValue::Int(have) => Ok(u32::try_from(have).unwrap_or_default()),
            _ => Err(StoreError::Unexpected),
        });
        Ok(Copied { reply, have, is_certain: has_sent(&info) })
    }
}

/// What a server replies to a command, and how many replicas have acknowledged what it had sent by
/// then.
struct Copied {
    reply: RespValue,
    have: StoreResult<u32>,
    /// It had sent something, so that there was something to acknowledge.
    is_certain: bool,
}
