//! Commands and their replies, by the connection that all calls share.

use tokio::time::timeout_at;

use crate::store::StoreResult;
use crate::store::redis::connection::admission::Admission;
use crate::store::redis::connection::multiplexer::{Asking, Pack};
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::turns::Reading;
use crate::store::redis::connection::wire::RespValue;
use crate::support::budget::Deadline;

impl<'a> Session<'a> {
    /// Sends one command, or many at once; one reply for each. Errors of the server are replies.
    pub(in crate::store) async fn call<P: Pack>(
        &mut self,
        commands: P,
        deadline: Deadline,
    ) -> StoreResult<P::Replies> {
        let admission = match self.node.admit(self.epoch) {
            Some(admission) => admission,
            None => Box::pin(self.node.admit_in_line(self.epoch, deadline)).await?,
        };
        self.send(admission, commands, deadline).await
    }

    /// As [`call`](Self::call), for a command that changes nothing. While no turn is free, all
    /// callers that are about to send the very same command send it once: see
    /// [`line`](crate::store::redis::connection::turns::Others).
    pub(in crate::store) async fn read<P: Pack<Replies = RespValue>>(
        &mut self,
        command: P,
        deadline: Deadline,
    ) -> StoreResult<RespValue> {
        match self.node.admit(self.epoch) {
            Some(admission) => self.send(admission, command, deadline).await,
            None => Box::pin(self.read_in_line(command, deadline)).await,
        }
    }

    #[cold]
    async fn read_in_line<P: Pack<Replies = RespValue>>(
        &mut self,
        command: P,
        deadline: Deadline,
    ) -> StoreResult<RespValue> {
        if self.asking {
            // Who asks another node must say so, and shares no reply with those who need not.
            return self.call(command, deadline).await;
        }
        let mut words = Vec::new();
        command.pack(b"", &mut words);
        loop {
            match self.node.admit_reader(self.epoch, &words, deadline).await? {
                Reading::Turn(admission, others) => {
                    let reply = self.send(admission, command, deadline).await;
                    others.tell(&reply);
                    return reply;
                }
                Reading::Told(reply) => return reply,
                Reading::Nothing => {}
            }
        }
    }

    /// Sends what has its turn.
    async fn send<P: Pack>(
        &self,
        admission: Admission<'a>,
        commands: P,
        deadline: Deadline,
    ) -> StoreResult<P::Replies> {
        let replies = if self.asking {
            Box::pin(timeout_at(deadline, self.connection.send(Asking(commands)))).await
        } else {
            timeout_at(deadline, self.connection.send(commands)).await
        };
        admission.conclude(replies)
    }
}
