//! Commands and their replies, by the connection that all calls share.

use crate::store::redis::connection::wire::Value;
use redis::{Cmd, Pipeline};
use tokio::time::timeout_at;

use crate::store::redis::connection::admission::Admission;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::turns::Reading;
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

impl<'a> Session<'a> {
    /// Sends one command; errors of the server are replies.
    pub(in crate::store) async fn call(
        &mut self,
        command: &Cmd,
        deadline: Deadline,
    ) -> StoreResult<Value> {
        match self.admitted() {
            Some(admission) => self.send(admission, command, deadline).await,
            None => Box::pin(self.call_in_line(command, deadline)).await,
        }
    }

    /// Room for one more command, at once, which takes no other before it.
    fn admitted(&self) -> Option<Admission<'a>> {
        if self.asking { None } else { self.node.admit(self.epoch) }
    }

    #[cold]
    async fn call_in_line(&mut self, command: &Cmd, deadline: Deadline) -> StoreResult<Value> {
        if self.asking {
            return self.call_asking(command, deadline).await;
        }
        let admission = self.node.admit_in_line(self.epoch, deadline).await?;
        self.send(admission, command, deadline).await
    }

    /// As [`call`](Self::call), for a command that changes nothing. While no turn is free, all
    /// callers that are about to send the very same command send it once: see
    /// [`line`](crate::store::redis::connection::turns::Others).
    pub(in crate::store) async fn read(
        &mut self,
        command: &Cmd,
        deadline: Deadline,
    ) -> StoreResult<Value> {
        match self.admitted() {
            Some(admission) => self.send(admission, command, deadline).await,
            None => Box::pin(self.read_in_line(command, deadline)).await,
        }
    }

    #[cold]
    async fn read_in_line(&mut self, command: &Cmd, deadline: Deadline) -> StoreResult<Value> {
        if self.asking {
            return self.call_asking(command, deadline).await;
        }
        let words = command.get_packed_command();
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

    /// Sends one command, whose turn it is.
    fn send<'s>(
        &'s mut self,
        admission: Admission<'a>,
        command: &'s Cmd,
        deadline: Deadline,
    ) -> impl Future<Output = StoreResult<Value>> + use<'s, 'a> {
        let reply = self.connection.send(command);
        async move { admission.conclude(timeout_at(deadline, reply).await) }
    }

    /// As [`call`](Self::call), preceded by `ASKING`, for a node that does not serve the slot yet.
    async fn call_asking(&mut self, command: &Cmd, deadline: Deadline) -> StoreResult<Value> {
        let mut commands = Pipeline::with_capacity(1);
        commands.add_command(command.clone());
        let replies = self.call_all(&commands, deadline).await?;
        replies.into_iter().next().ok_or(StoreError::Unexpected)
    }

    /// Sends many commands at once; one reply for each.
    pub(in crate::store) async fn call_all(
        &mut self,
        commands: &Pipeline,
        deadline: Deadline,
    ) -> StoreResult<Vec<Value>> {
        if !self.asking {
            return self.send_all(commands, deadline).await;
        }
        let mut questions = Pipeline::with_capacity(2 * commands.len());
        for command in commands.cmd_iter() {
            questions.cmd("ASKING").add_command(command.clone());
        }
        let replies = self.send_all(&questions, deadline).await?;
        Ok(replies.into_iter().skip(1).step_by(2).collect())
    }

    async fn send_all(
        &mut self,
        commands: &Pipeline,
        deadline: Deadline,
    ) -> StoreResult<Vec<Value>> {
        let admission = match self.node.admit(self.epoch) {
            Some(admission) => admission,
            None => Box::pin(self.node.admit_in_line(self.epoch, deadline)).await?,
        };
        let replies = self.connection.send(commands);
        admission.conclude(timeout_at(deadline, replies).await)
    }
}
