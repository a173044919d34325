//! Reads of records: of one key, or of many, and of large values apart from the others.

use bytes::Bytes;
use redis::{Cmd, Pipeline};

use crate::metrics::StoreOperation;
use crate::record::{self, HEADER};
use crate::store::redis::commands::Command;
use crate::store::redis::commands::pieces::{BYTES, Pieces, turn};
use crate::store::redis::connection::large::LARGE;
use crate::store::redis::connection::multiplexer::GetKey;
use crate::store::redis::connection::refusal::is_error;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::{Get, Keyed, Name, PIECE, StoreError, StoreResult};
use crate::support::budget::Deadline;

/// The command that reads no more of a key than what tells that its value is large.
fn bounded(name: Name<'_>) -> Cmd {
    let mut range = Cmd::with_capacity(4, 16 + name.text.len());
    range.arg("GETRANGE").arg(name.text).arg(0).arg(LARGE);
    range
}

/// What the reply to a command that reads a key means, be it [bounded] or not.
enum Looked {
    Reply(RespValue),
    /// The value is large: this was not all of it.
    Large,
}

impl Looked {
    fn of(reply: RespValue, is_bounded: bool) -> Self {
        match reply {
            RespValue::BulkString(part) if is_bounded && part.len() > LARGE => Self::Large,
            // There is nothing, or a string that is empty and thus not ours: whoever asks for the
            // lease learns that.
            RespValue::BulkString(part) if is_bounded && part.is_empty() => {
                Self::Reply(RespValue::Nil)
            }
            reply => Self::Reply(reply),
        }
    }
}

impl Command for Get {
    const OPERATION: StoreOperation = StoreOperation::Get;

    async fn send(
        request: &mut Keyed<'_, Self>,
        session: &mut Session<'_>,
        by: Deadline,
    ) -> StoreResult<Option<Bytes>> {
        let name = request.name;
        if session.is_large(name) {
            return Box::pin(session.get_large(name, by)).await;
        }
        let is_bounded = session.expects_large();
        let reply = if is_bounded {
            Box::pin(async { session.read(&bounded(name), by).await }).await?
        } else {
            session.read(GetKey(name.text), by).await?
        };
        match Looked::of(reply, is_bounded) {
            Looked::Reply(reply) => session.record_in(reply, name, by).await,
            Looked::Large => Box::pin(session.get_large(name, by)).await,
        }
    }

    /// Large records are read one by one, apart from the others.
    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<Option<Bytes>>> {
        let names: Vec<_> = requests.iter().map(|request| request.name).collect();
        session.get_many(&names, pieces).await
    }
}

impl Session<'_> {
    /// The record in the reply to a `GET`, unless it is to be ignored.
    async fn record_in(
        &mut self,
        reply: RespValue,
        name: Name<'_>,
        deadline: Deadline,
    ) -> StoreResult<Option<Bytes>> {
        match reply {
            RespValue::BulkString(record) => self.got(name, record, deadline).await,
            RespValue::Nil => Ok(None),
            // It does not matter what is there, only that it is not a record.
            reply if is_error(&reply, "WRONGTYPE") => Ok(Some(Bytes::new())),
            reply => Err(self.refused(reply)),
        }
    }

    /// The record; if it is not to be believed, what stands for it.
    async fn got(
        &mut self,
        name: Name<'_>,
        record: Bytes,
        deadline: Deadline,
    ) -> StoreResult<Option<Bytes>> {
        self.node().large_keys().note_record(name.hash, &record);
        if record::is_misplaced(&record, name.hash) {
            // Boxed, as it is rare: a hit's future stays small.
            Box::pin(self.verify(name, &record, deadline)).await?;
        }
        match self.insists_on() {
            Some(origin) if self.trusts_nothing() || record::is_of_another(&record, origin) => {
                Ok(Some(Bytes::from_static(record::OF_ANOTHER_PRIMARY)))
            }
            _ => Ok(Some(record)),
        }
    }

    /// The record of a key that holds a large value, by the second connection.
    #[cold]
    pub(in crate::store) async fn get_large(
        &mut self,
        name: Name<'_>,
        by: Deadline,
    ) -> StoreResult<Option<Bytes>> {
        self.node().large_keys().note(name.hash, usize::MAX);
        let reply = self.call_in_bulk(GetKey(name.text), by).await?;
        self.record_in(reply, name, by).await
    }

    /// Finds out why a record belongs to a key other than the requested one. If the server has it
    /// there, somebody copied it, and the reader ignores it; if not, replies have been mixed up.
    async fn verify(
        &mut self,
        name: Name<'_>,
        record: &[u8],
        deadline: Deadline,
    ) -> StoreResult<()> {
        let mut again = Cmd::with_capacity(4, 11 + name.text.len());
        again.arg("GETRANGE").arg(name.text).arg(0).arg(HEADER - 1);
        match self.call(&again, deadline).await? {
            RespValue::BulkString(header) if header == record[..HEADER] => Ok(()),
            _ => Err(self.out_of_order()),
        }
    }

    async fn get_many(
        &mut self,
        names: &[Name<'_>],
        pieces: Pieces,
    ) -> Vec<StoreResult<Option<Bytes>>> {
        let are_large: Vec<_> = names.iter().map(|name| self.is_large(*name)).collect();
        let others = names.iter().zip(&are_large).filter(|(_, is_large)| !**is_large);
        let others: Vec<_> = others.map(|(name, _)| *name).collect();
        let mut looks = self.look_at_many(&others, pieces).await.into_iter();

        let (mut results, mut failed) = (Vec::with_capacity(names.len()), None);
        for (name, is_large) in names.iter().zip(are_large) {
            let look = if is_large { None } else { looks.next().flatten() };
            let result = match (look, &failed) {
                (Some(result), _) => result,
                // Once one has not been answered, no more are asked for.
                (None, Some(error)) => Err(StoreError::clone(error)),
                (None, None) => match pieces.deadline(results.len()) {
                    Some(by) => Box::pin(self.get_large(*name, by)).await,
                    None => Err(StoreError::TimedOut),
                },
            };
            if let Err(error) = &result
                && failed.is_none()
            {
                failed = Some(error.clone());
            }
            results.push(result);
        }
        results
    }

    /// `MGET`, or a command for each key. `None` for a large value.
    async fn look_at_many(
        &mut self,
        names: &[Name<'_>],
        pieces: Pieces,
    ) -> Vec<Option<StoreResult<Option<Bytes>>>> {
        let mut results = Vec::with_capacity(names.len());
        let (mut rest, mut most) = (names, PIECE);
        for number in 0.. {
            let is_bounded = self.expects_large();
            let (piece, others) = rest.split_at(most.min(rest.len()));
            rest = others;
            if piece.is_empty() {
                break;
            }
            let by = pieces.deadline(number);
            let records = match by {
                Some(by) => self.records(piece, is_bounded, by).await.map(|records| (records, by)),
                None => Err(StoreError::TimedOut),
            };
            let (records, by) = match records {
                Ok(records) => records,
                Err(error) => {
                    results.resize(names.len(), Some(Err(error)));
                    break;
                }
            };
            // How large values are is known by the first of them.
            let bytes = records.iter().map(length).sum::<usize>();
            most = (BYTES * piece.len() / bytes.max(1)).clamp(1, PIECE);
            for (name, record) in piece.iter().zip(records) {
                results.push(match Looked::of(record, is_bounded) {
                    Looked::Large => None,
                    // As with `MGET`, for which another type looks like nothing: `acquire` will
                    // tell.
                    Looked::Reply(reply) if is_error(&reply, "WRONGTYPE") => Some(Ok(None)),
                    Looked::Reply(reply) => Some(self.record_in(reply, *name, by).await),
                });
            }
        }
        results
    }

    /// What each key holds.
    async fn records(
        &mut self,
        names: &[Name<'_>],
        is_bounded: bool,
        deadline: Deadline,
    ) -> StoreResult<Vec<RespValue>> {
        let pieces = self.pieces();
        let _turn = turn(&pieces, names.len(), deadline).await?;
        if is_bounded || !self.takes_many_keys() {
            let mut gets = Pipeline::with_capacity(names.len());
            for name in names {
                if is_bounded {
                    gets.add_command(bounded(*name));
                } else {
                    gets.cmd("GET").arg(name.text);
                }
            }
            return self.call(&gets, deadline).await;
        }
        let size = names.iter().map(|name| name.text.len()).sum::<usize>();
        let mut get = Cmd::with_capacity(1 + names.len(), 4 + size);
        get.arg("MGET");
        for name in names {
            get.arg(name.text);
        }
        match self.read(&get, deadline).await? {
            RespValue::Array(records) if records.len() == names.len() => Ok(records),
            reply => Err(self.refused(reply)),
        }
    }
}

/// How long a record is.
fn length(record: &RespValue) -> usize {
    match record {
        RespValue::BulkString(record) => record.len(),
        _ => 0,
    }
}
