//! A connection as it was found by an operation, for all commands of that operation.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::time::timeout_at;

use super::link::Link;
use super::node::Node;
use super::script::Call;
use crate::record::Origin;
use crate::store::{Deadline, StoreError, StoreResult};

/// Calls in one pipeline: as many as a server does in a millisecond or so, since others wait behind them.
const BATCH: usize = 256;

/// One connection of one node. What several commands have in common (that a script was loaded, that replies are in
/// order) holds within it.
#[derive(Debug)]
pub(super) struct Session<'a> {
    node: &'a Node,
    link: Arc<Link>,
}

impl<'a> Session<'a> {
    pub(super) fn new(node: &'a Node, link: Arc<Link>) -> Self {
        Self { node, link }
    }

    /// The primary that stores what is sent here.
    pub(super) fn origin(&self) -> Origin {
        self.link.server.origin
    }

    /// Whether one `SET` is known to take a lease and scripts, which alone can fill it, are known to run.
    pub(super) fn takes_leases_by_set(&self) -> bool {
        self.link.server.runs_scripts.load(Relaxed) && self.link.server.sets_and_gets.load(Relaxed)
    }

    pub(super) fn takes_no_leases_by_set(&self) {
        self.link.server.sets_and_gets.store(false, Relaxed);
    }

    /// Sends one command; errors of the server are replies.
    pub(super) async fn call(&self, command: &Cmd, deadline: Deadline) -> StoreResult<Value> {
        let mut connection = self.link.connection.clone();
        // Boxed, as the client's own high-level functions do it: its future takes more than 2 KB, and so would every
        // future of ours that awaits it, to be copied whenever one is put into the next.
        let reply = Box::pin(connection.send_packed_command(command));
        self.answer(reply, deadline).await
    }

    /// Sends many commands at once; one reply for each.
    pub(super) async fn call_all(
        &self,
        commands: &Pipeline,
        deadline: Deadline,
    ) -> StoreResult<Vec<Value>> {
        let mut connection = self.link.connection.clone();
        let count = commands.len();
        let replies = Box::pin(connection.send_packed_commands(commands, 0, count));
        let replies = self.answer(replies, deadline).await?;
        if replies.len() == count { Ok(replies) } else { Err(self.out_of_order()) }
    }

    async fn answer<T>(
        &self,
        reply: Pin<Box<impl Future<Output = RedisResult<T>>>>,
        deadline: Deadline,
    ) -> StoreResult<T> {
        let admission = self.node.admit(self.link.epoch)?;
        match timeout_at(deadline, reply).await {
            Ok(Ok(reply)) => {
                admission.answered();
                Ok(reply)
            }
            // Errors of the server are not among these: they are replies.
            Ok(Err(_)) => Err(admission.settle(StoreError::Lost)),
            Err(_) => Err(admission.timed_out()),
        }
    }

    /// Runs a script, which the server may have to be told first.
    pub(super) async fn eval(&self, call: &Call<'_>, deadline: Deadline) -> StoreResult<Value> {
        let mut reply = self.call(&call.by_sha(), deadline).await?;
        if is_error(&reply, "NOSCRIPT") {
            reply = self.call(&call.by_body(), deadline).await?;
        }
        self.ran(reply)
    }

    /// Runs one script on many keys, in as few round trips as is good for others.
    pub(super) async fn eval_all(
        &self,
        calls: &[Call<'_>],
        deadline: Deadline,
    ) -> Vec<StoreResult<Value>> {
        let mut results = Vec::with_capacity(calls.len());
        for batch in calls.chunks(BATCH) {
            match self.eval_batch(batch, deadline).await {
                Ok(replies) => results.extend(replies.into_iter().map(|reply| self.ran(reply))),
                Err(error) => {
                    results.resize(calls.len(), Err(error));
                    break;
                }
            }
        }
        results
    }

    async fn eval_batch(&self, calls: &[Call<'_>], deadline: Deadline) -> StoreResult<Vec<Value>> {
        let mut commands = Pipeline::with_capacity(calls.len());
        for call in calls {
            commands.add_command(call.by_sha());
        }
        let mut replies = self.call_all(&commands, deadline).await?;

        let unknown = || |(_, reply): &(usize, &mut Value)| is_error(reply, "NOSCRIPT");
        let mut again = Pipeline::new();
        for (at, _) in replies.iter_mut().enumerate().filter(unknown()) {
            let Some(call) = calls.get(at) else { break };
            // The first tells the server the script for all others.
            again.add_command(if again.is_empty() { call.by_body() } else { call.by_sha() });
        }
        if !again.is_empty() {
            let late = self.call_all(&again, deadline).await?;
            let places = replies.iter_mut().enumerate().filter(unknown()).map(|(_, place)| place);
            for (place, reply) in places.zip(late) {
                *place = reply;
            }
        }
        Ok(replies)
    }

    /// Result of a script, and what its reply tells about scripts in general.
    fn ran(&self, reply: Value) -> StoreResult<Value> {
        let runs_scripts = &self.link.server.runs_scripts;
        let refused = is_error(&reply, "NOPERM");
        if runs_scripts.load(Relaxed) == refused {
            runs_scripts.store(!refused, Relaxed);
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
        match error.code() {
            "WRONGTYPE" => StoreError::Foreign,
            "READONLY" => {
                self.node.deposed(self.link.epoch);
                StoreError::Refused("READONLY".to_owned())
            }
            code => StoreError::Refused(code.to_owned()),
        }
    }

    /// A reply came that no command of ours gives, or that belongs to another request: so may all that follow.
    pub(super) fn out_of_order(&self) -> StoreError {
        self.node.kill(self.link.epoch);
        StoreError::Unexpected
    }
}

pub(super) fn is_error(reply: &Value, code: &str) -> bool {
    matches!(reply, Value::ServerError(error) if error.code() == code)
}
