//! Calls of the queues' scripts, which have several keys of one slot.

use std::collections::BTreeSet;

use redis::Cmd;

use crate::record::Origin;
use crate::store::StoreResult;
use crate::store::queue::{Addition, Lane};
use crate::store::redis::connection::refusal::is_error;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::script::Script;
use crate::store::redis::topology::router::Exchange;
use crate::support::budget::Deadline;

/// A call of a script.
#[derive(Clone, Debug)]
pub(super) struct Call {
    script: &'static Script,
    keys: usize,
    /// Keys first.
    words: Vec<Vec<u8>>,
}

impl Call {
    pub(super) fn new(script: &'static Script) -> Self {
        Self { script, keys: 0, words: Vec::with_capacity(12) }
    }

    /// Adds a key; all keys come before the first argument.
    pub(super) fn key(mut self, key: &str) -> Self {
        self.keys += 1;
        self.arg(key)
    }

    pub(super) fn arg(mut self, arg: impl AsRef<[u8]>) -> Self {
        self.words.push(arg.as_ref().to_vec());
        self
    }

    /// `EVALSHA`
    pub(super) fn by_sha(&self) -> Cmd {
        self.command("EVALSHA", self.script.sha())
    }

    /// `EVAL`, for a server that does not know the script (any more).
    pub(super) fn by_body(&self) -> Cmd {
        self.command("EVAL", self.script.body())
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = Cmd::new();
        command.arg(name).arg(script).arg(self.keys).arg(&self.words);
        command
    }
}

/// A number as an argument.
pub(super) fn number(number: u64) -> String {
    number.to_string()
}

/// Appends items of one producer, which has placed all by the same layout.
pub(super) fn push(
    script: &'static Script,
    lane: &Lane,
    additions: &[Addition<'_>],
    origin: Origin,
) -> Call {
    let producer = additions.first().map(|item| item.producer);
    let longest = additions.first().and_then(|item| item.longest);
    let window_us = additions.first().map(|item| item.window_us);
    let epoch = additions.first().map(|item| item.epoch);
    let oldest = additions.iter().map(|item| item.oldest).min();
    let given_up: BTreeSet<u64> =
        additions.iter().flat_map(|item| item.given_up).copied().collect();
    let given_up: Vec<_> = given_up.into_iter().map(number).collect();
    let call = Call::new(script)
        .key(&lane.stream)
        .key(&lane.clock)
        .key(producer.unwrap_or_default())
        .arg(number(oldest.unwrap_or_default()))
        .arg(given_up.join(" "))
        .arg(number(longest.unwrap_or_default()))
        .arg(number(window_us.unwrap_or_default()))
        .arg(origin.0)
        .arg(number(epoch.unwrap_or_default()));
    additions.iter().fold(call, |call, item| {
        call.arg(number(item.number))
            .arg(number(item.stamp.us))
            .arg(number(item.stamp.node.into()))
            .arg(item.key)
            .arg(item.payload)
    })
}

impl Exchange for Call {
    type Reply = RespValue;

    /// Runs the script, which the server may have to be told first.
    async fn run(&mut self, session: &mut Session<'_>, by: Deadline) -> StoreResult<RespValue> {
        session.require_scripts()?;
        let mut reply = session.call(&self.by_sha(), by).await?;
        if is_error(&reply, "NOSCRIPT") {
            reply = session.call(&self.by_body(), by).await?;
        }
        session.ran(reply)
    }
}

impl Exchange for Cmd {
    type Reply = RespValue;

    async fn run(&mut self, session: &mut Session<'_>, by: Deadline) -> StoreResult<RespValue> {
        match session.call(&*self, by).await? {
            reply @ RespValue::ServerError(_) => Err(session.refused(reply)),
            reply => Ok(reply),
        }
    }
}
