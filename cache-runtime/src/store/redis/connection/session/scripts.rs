//! Calls of scripts.

use crate::store::StoreResult;
use crate::store::redis::connection::large::LARGE;
use crate::store::redis::connection::refusal::is_error;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::script::Call;
use crate::store::redis::script::supported::Obstacle;
use crate::support::budget::Deadline;

impl Session<'_> {
    /// An error where no scripts run: nothing is to be sent that is, or needs, one.
    pub(in crate::store) fn require_scripts(&self) -> StoreResult<()> {
        self.obstacle.map_or(Ok(()), |obstacle| Err(obstacle.refusal()))
    }

    /// Runs a script, which is sent in full if the server does not have it yet.
    pub(in crate::store) async fn eval(
        &mut self,
        call: &Call<'_>,
        deadline: Deadline,
    ) -> StoreResult<RespValue> {
        self.require_scripts()?;
        let reply = self.reply(call, deadline).await?;
        self.ran(reply)
    }

    /// The reply to a script. A large value has a connection of its own.
    pub(in crate::store) async fn reply(
        &mut self,
        call: &Call<'_>,
        deadline: Deadline,
    ) -> StoreResult<RespValue> {
        if call.size() > LARGE && !self.asking {
            return Box::pin(self.reply_in_bulk(call, deadline)).await;
        }
        let reply = self.call(call.by_sha(), deadline).await?;
        if is_error(&reply, "NOSCRIPT") {
            return self.call(call.by_body(), deadline).await;
        }
        Ok(reply)
    }

    #[cold]
    async fn reply_in_bulk(
        &mut self,
        call: &Call<'_>,
        deadline: Deadline,
    ) -> StoreResult<RespValue> {
        let reply = self.call_in_bulk(call.by_sha(), deadline).await?;
        if is_error(&reply, "NOSCRIPT") {
            return self.call_in_bulk(call.by_body(), deadline).await;
        }
        Ok(reply)
    }

    /// Result of a script, and what its reply tells about scripts in general.
    pub(in crate::store) fn ran(&mut self, reply: RespValue) -> StoreResult<RespValue> {
        if let Some(obstacle) = Obstacle::of(&reply) {
            self.obstacle = Some(obstacle);
            self.node.loses_scripts(self.epoch, obstacle);
            return Err(obstacle.refusal());
        }
        match reply {
            RespValue::ServerError(_) => Err(self.refused(reply)),
            reply => Ok(reply),
        }
    }
}
