//! The connection that an operation found, used for all of its commands.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, Value};
use tokio::time::timeout_at;

use super::breaker::Breaker;
use super::cluster::Redirection;
use super::link::Link;
use super::node::Node;
use super::script::Call;
use super::supervisor::Plan;
use crate::record::Origin;
use crate::store::{Deadline, StoreError, StoreResult};

/// Calls in one pipeline: as many as a server does in a millisecond or so, since others wait behind them.
pub(super) const BATCH: usize = 256;

/// One connection of one node. What several commands have in common (that a script was loaded, that replies are in
/// order) holds within it.
#[derive(Debug)]
pub(super) struct Session<'a> {
    node: &'a Node,
    // A handle of its own, and the little that is needed of the link: counting references to the link as well would
    // make all threads write to one more place, for every hit.
    connection: MultiplexedConnection,
    epoch: u64,
    origin: Origin,
    runs_scripts: bool,
    sets_and_gets: bool,
    /// Every command is preceded by `ASKING`: the node does not serve the slot yet.
    asking: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(node: &'a Node, link: &Link) -> Self {
        Self {
            node,
            connection: link.connection.clone(),
            epoch: link.epoch,
            origin: link.server.origin,
            runs_scripts: link.server.runs_scripts.load(Relaxed),
            sets_and_gets: link.server.sets_and_gets.load(Relaxed),
            asking: false,
        }
    }

    /// This session, for keys on their way to its node.
    pub(super) fn asking(self, asking: bool) -> Self {
        Self { asking, ..self }
    }

    /// Where the server is, for a connection of one's own, and where it is later.
    pub(super) fn whereabouts(&self) -> (Arc<Plan>, Arc<Breaker>) {
        (self.node.plan(), self.node.breaker())
    }

    /// The primary that stores what is sent here.
    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    /// The primary whose records alone count; none where every primary's do.
    pub(super) fn insists_on(&self) -> Option<Origin> {
        self.node.distrusts().then_some(self.origin)
    }

    /// Whether one `SET` takes a lease and scripts, which alone can fill it, run. It cannot tell whose value it finds.
    pub(super) fn takes_leases_by_set(&self) -> bool {
        self.runs_scripts && self.sets_and_gets && !self.node.distrusts()
    }

    /// Whether one command may have several keys, wherever they belong.
    pub(super) fn takes_many_keys(&self) -> bool {
        !self.node.is_member()
    }

    pub(super) fn takes_no_leases_by_set(&mut self) {
        self.sets_and_gets = false;
        self.node.learn(self.epoch, |server| server.sets_and_gets.store(false, Relaxed));
    }

    /// Sends one command; errors of the server are replies.
    pub(super) async fn call(&mut self, command: &Cmd, deadline: Deadline) -> StoreResult<Value> {
        if self.asking {
            return Box::pin(self.call_asking(command, deadline)).await;
        }
        let admission = self.node.admit(self.epoch)?;
        // Boxed, as in the client's own high-level functions: its future takes more than 2 KB. So would every future
        // of ours that awaits it, and each would be copied when it is put into the next.
        let reply = Box::pin(self.connection.send_packed_command(command));
        admission.conclude(timeout_at(deadline, reply).await)
    }

    /// As [`call`](Self::call), preceded by `ASKING`, for a node that does not serve the slot yet.
    #[cold]
    async fn call_asking(&mut self, command: &Cmd, deadline: Deadline) -> StoreResult<Value> {
        let mut commands = Pipeline::with_capacity(1);
        commands.add_command(command.clone());
        let replies = self.call_all(&commands, deadline).await?;
        replies.into_iter().next().ok_or(StoreError::Unexpected)
    }

    /// Sends many commands at once; one reply for each.
    pub(super) async fn call_all(
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
        let count = commands.len();
        let admission = self.node.admit(self.epoch)?;
        let replies = Box::pin(self.connection.send_packed_commands(commands, 0, count));
        let replies = admission.conclude(timeout_at(deadline, replies).await)?;
        if replies.len() == count { Ok(replies) } else { Err(self.out_of_order()) }
    }

    /// Runs a script, which is sent in full if the server does not have it yet.
    pub(super) async fn eval(&mut self, call: &Call<'_>, deadline: Deadline) -> StoreResult<Value> {
        let mut reply = self.call(&call.by_sha(), deadline).await?;
        if is_error(&reply, "NOSCRIPT") {
            reply = self.call(&call.by_body(), deadline).await?;
        }
        self.ran(reply)
    }

    /// Runs one script on many keys, in as few round trips as is good for others.
    pub(super) async fn eval_all(
        &mut self,
        calls: &[Call<'_>],
        deadline: Deadline,
    ) -> Vec<StoreResult<Value>> {
        let mut results = Vec::with_capacity(calls.len());
        for batch in calls.chunks(BATCH) {
            match self.eval_batch(batch, deadline).await {
                Ok(replies) => results.extend(replies.into_iter().map(|reply| self.ran(reply?))),
                Err(error) => {
                    results.resize(calls.len(), Err(error));
                    break;
                }
            }
        }
        results
    }

    /// No error for all where some were executed.
    async fn eval_batch(
        &mut self,
        calls: &[Call<'_>],
        deadline: Deadline,
    ) -> StoreResult<Vec<StoreResult<Value>>> {
        let mut commands = Pipeline::with_capacity(calls.len());
        for call in calls {
            commands.add_command(call.by_sha());
        }
        let replies = self.call_all(&commands, deadline).await?;

        let mut again = Pipeline::new();
        for (call, reply) in calls.iter().zip(&replies) {
            if is_error(reply, "NOSCRIPT") {
                // The first one loads the script into the server for all others.
                again.add_command(if again.is_empty() { call.by_body() } else { call.by_sha() });
            }
        }
        if again.is_empty() {
            return Ok(replies.into_iter().map(Ok).collect());
        }
        let mut late = self.call_all(&again, deadline).await.map(Vec::into_iter);
        let mut sent_again = || match &mut late {
            Ok(late) => late.next().ok_or(StoreError::Unexpected),
            Err(error) => Err(error.clone()),
        };
        let last = |reply| if is_error(&reply, "NOSCRIPT") { sent_again() } else { Ok(reply) };
        Ok(replies.into_iter().map(last).collect())
    }

    /// Result of a script, and what its reply tells about scripts in general.
    fn ran(&mut self, reply: Value) -> StoreResult<Value> {
        let runs_scripts = !is_error(&reply, "NOPERM");
        if self.runs_scripts != runs_scripts {
            self.runs_scripts = runs_scripts;
            self.node.learn(self.epoch, |server| server.runs_scripts.store(runs_scripts, Relaxed));
        }
        match reply {
            Value::ServerError(_) => Err(self.refused(reply)),
            reply => Ok(reply),
        }
    }

    /// What a reply that is no result means.
    pub(super) fn refused(&self, reply: Value) -> StoreError {
        let Value::ServerError(error) = reply else {
            return self.out_of_order();
        };
        let here = self.node.endpoint();
        match error.code() {
            "MOVED" | "ASK"
                if let Some(there) = here.and_then(|it| Redirection::read(&error, it)) =>
            {
                StoreError::Redirected(Box::new(there))
            }
            "READONLY" => {
                self.node.deposed(self.epoch);
                StoreError::Refused("READONLY".to_owned())
            }
            code => StoreError::Refused(code.to_owned()),
        }
    }

    /// A reply came that no command of ours gives, or that belongs to another request: so may all that follow.
    pub(super) fn out_of_order(&self) -> StoreError {
        self.node.kill(self.epoch);
        StoreError::Unexpected
    }
}

pub(super) fn is_error(reply: &Value, code: &str) -> bool {
    matches!(reply, Value::ServerError(error) if error.code() == code)
}
