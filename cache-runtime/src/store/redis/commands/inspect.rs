//! Looking at a key from outside, by plain commands that every server has.

use std::time::Duration;

use bytes::Bytes;
use redis::Pipeline;

use crate::metrics::StoreOperation;
use crate::record;
use crate::store::redis::commands::Command;
use crate::store::redis::commands::pieces::Pieces;
use crate::store::redis::connection::refusal::is_error;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::{Inspect, Inspected, Keyed, PIECE, StoreError, StoreResult};
use crate::support::budget::Deadline;

/// Commands for one key.
const COMMANDS: usize = 5;
/// Keys that are looked at in one piece.
const KEYS: usize = PIECE / COMMANDS;

/// The commands that look at a key.
fn look(commands: &mut Pipeline, request: &Keyed<'_, Inspect>) {
    let Keyed { name, request: Inspect { most } } = request;
    commands.cmd("TYPE").arg(name.text);
    commands.cmd("PTTL").arg(name.text);
    commands.cmd("STRLEN").arg(name.text);
    commands.cmd("GETRANGE").arg(name.text).arg(0).arg(most.saturating_sub(1));
    commands.cmd("MEMORY").arg("USAGE").arg(name.text);
}

impl Command for Inspect {
    const OPERATION: StoreOperation = StoreOperation::Inspect;

    /// The commands for a key are not one transaction: a change between them may be seen in some
    /// and not in others.
    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<Option<Inspected>>> {
        let mut results = Vec::with_capacity(requests.len());
        for (number, piece) in requests.chunks(KEYS).enumerate() {
            let seen = match pieces.deadline(number) {
                Some(by) => session.inspect(piece, by).await,
                None => Err(StoreError::TimedOut),
            };
            match seen {
                Ok(seen) => results.extend(seen),
                Err(error) => {
                    results.resize(requests.len(), Err(error));
                    break;
                }
            }
        }
        results
    }
}

impl Session<'_> {
    async fn inspect(
        &mut self,
        requests: &[Keyed<'_, Inspect>],
        by: Deadline,
    ) -> StoreResult<Vec<StoreResult<Option<Inspected>>>> {
        let mut commands = Pipeline::with_capacity(COMMANDS * requests.len());
        for request in requests {
            look(&mut commands, request);
        }
        let mut replies = self.call_piece(&commands, by).await?.into_iter();
        let mut each = || std::array::from_fn(|_| replies.next().unwrap_or(RespValue::Nil));
        Ok(requests.iter().map(|_| self.inspected(each())).collect())
    }

    fn inspected(&self, replies: [RespValue; COMMANDS]) -> StoreResult<Option<Inspected>> {
        let [data_type, left, length, head, memory] = replies;
        let data_type = match data_type {
            RespValue::SimpleString(data_type) => data_type,
            reply => return Err(self.refused(reply)),
        };
        let left = match left {
            // It has gone since.
            RespValue::Int(-2) => return Ok(None),
            RespValue::Int(left) => u64::try_from(left).ok().map(Duration::from_millis),
            reply => return Err(self.refused(reply)),
        };
        if data_type == "none" {
            return Ok(None);
        }
        let (head, size) = match (head, length) {
            (RespValue::BulkString(head), RespValue::Int(length)) => {
                (head, u64::try_from(length).ok())
            }
            // Whoever may not ask for the memory does without.
            (head, _) if is_error(&head, "WRONGTYPE") => (Bytes::new(), number(&memory)),
            (RespValue::BulkString(_), reply) | (reply, _) => return Err(self.refused(reply)),
        };
        let is_distrusted = self
            .insists_on()
            .is_some_and(|origin| self.trusts_nothing() || record::is_of_another(&head, origin));
        Ok(Some(Inspected { data_type, head, size, left, is_distrusted }))
    }
}

fn number(reply: &RespValue) -> Option<u64> {
    match reply {
        RespValue::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}
