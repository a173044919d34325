//! The operations of writers on many keys: one round trip for all keys of a write, or for each piece of many.

use std::time::Duration;

use redis::Value;

use crate::record::token::Token;
use crate::record::{self, Kind};
use crate::store::redis::commands::encode::millis;
use crate::store::redis::commands::pieces::{Pieces, cut};
use crate::store::redis::commands::without_scripts::Removed;
use crate::store::redis::connection::session::Session;
use crate::store::redis::script::supported::Obstacle;
use crate::store::redis::script::{self, Arg, Call};
use crate::store::redis::topology::scatter::Item;
use crate::store::{End, Ended, Name, StoreResult};

impl Session<'_> {
    /// Removes values and leases, and lifts no fence. One result per name.
    pub(in crate::store) async fn invalidate(
        &mut self,
        names: &[Name<'_>],
        hold_off: Duration,
        pieces: Pieces,
    ) -> Vec<StoreResult<()>> {
        let removed = self.remove(names, hold_off, pieces).await;
        removed.into_iter().map(|removed| removed.map(|_| ())).collect()
    }

    /// Whether each key held, or may have held, something of ours.
    pub(in crate::store) async fn remove(
        &mut self,
        names: &[Name<'_>],
        hold_off: Duration,
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        let calls: Vec<_> = names
            .iter()
            .map(|name| Call {
                script: &script::INVALIDATE,
                key: name.text,
                args: vec![
                    self.header(Kind::Fence, *name),
                    self.header(Kind::Tombstone, *name),
                    Arg::Millis(millis_or_none(hold_off)),
                ],
            })
            .collect();
        let replies = self.eval_in_pieces(&calls, pieces).await;
        let results = replies.into_iter().map(|reply| match reply? {
            Value::Int(0) => Ok(false),
            Value::Int(1 | 2) => Ok(true),
            _ => Err(self.out_of_order()),
        });
        let mut results: Vec<_> = results.collect();
        let was_ours = |removed| removed != Removed::Foreign;
        self.mend(names, &mut results, was_ours, None, hold_off, pieces).await;
        results
    }

    /// Puts up a writer's fence. False: the value was removed, but the fence could not be put up.
    pub(in crate::store) async fn begin(
        &mut self,
        names: &[Name<'_>],
        writer: Token,
        fence: Duration,
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        let calls: Vec<_> = names
            .iter()
            .map(|name| Call {
                script: &script::BEGIN,
                key: name.text,
                args: vec![
                    self.header(Kind::Fence, *name),
                    Arg::Bytes(writer.as_bytes()),
                    Arg::Millis(millis(fence)),
                ],
            })
            .collect();
        let replies = self.eval_in_pieces(&calls, pieces).await;
        let results = replies.into_iter().map(|reply| match reply? {
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            _ => Err(self.out_of_order()),
        });
        results.collect()
    }

    /// Lifts a writer's fences, and stores each of its values if no other writer has overlapped.
    pub(in crate::store) async fn end(
        &mut self,
        ends: &mut [End<'_>],
        writer: Token,
        hold_off: Duration,
        pieces: Pieces,
    ) -> Vec<StoreResult<Ended>> {
        if self.is_quiet() {
            // As where another writer has overlapped: the entries are left without a value.
            for end in &mut *ends {
                end.value = None;
            }
        }
        for fill in ends.iter_mut().filter_map(|end| end.value.as_mut()) {
            record::set_origin(&mut fill.record, self.origin());
        }
        let calls: Vec<_> = ends.iter().map(|end| self.end_call(end, &writer, hold_off)).collect();
        let replies = self.eval_in_pieces(&calls, pieces).await;
        let mut results: Vec<_> = replies.into_iter().map(|reply| self.ended(&reply?)).collect();
        let names: Vec<_> = ends.iter().map(|end| end.name).collect();
        let ended = |removed| match removed {
            Removed::Gone | Removed::Foreign => Ended::Removed,
            Removed::Fenced => Ended::Standing,
        };
        self.mend(&names, &mut results, ended, Some(writer), hold_off, pieces).await;
        results
    }

    fn end_call<'a>(&self, end: &'a End<'a>, writer: &'a Token, hold_off: Duration) -> Call<'a> {
        let mut args = vec![
            self.header(Kind::Fence, end.name),
            self.header(Kind::Tombstone, end.name),
            Arg::Millis(millis_or_none(hold_off)),
            Arg::Bytes(writer.as_bytes()),
        ];
        if let Some(fill) = &end.value {
            let (head, tail) = record::around_times(&fill.record);
            args.extend([
                Arg::Bytes(head),
                Arg::Millis(millis(fill.ttl)),
                Arg::Millis(millis(fill.fresh)),
                Arg::Bytes(tail),
            ]);
        }
        Call { script: &script::END, key: end.name.text, args }
    }

    fn ended(&self, reply: &Value) -> StoreResult<Ended> {
        match reply {
            Value::Int(1) => Ok(Ended::Removed),
            Value::Int(2) => Ok(Ended::Standing),
            Value::Int(3) => Ok(Ended::Stored),
            _ => Err(self.out_of_order()),
        }
    }

    fn header(&self, kind: Kind, name: Name<'_>) -> Arg<'static> {
        Arg::Header(record::header(kind, self.origin(), name.hash))
    }

    /// Removes what could not be removed by script, since none run.
    async fn mend<T>(
        &mut self,
        names: &[Name<'_>],
        results: &mut [StoreResult<T>],
        removed: impl Fn(Removed) -> T,
        writer: Option<Token>,
        hold_off: Duration,
        pieces: Pieces,
    ) {
        let Some(refusal) = self.obstacle().map(Obstacle::refusal) else { return };
        let refused = |result: &StoreResult<T>| result.as_ref().is_err_and(|it| *it == refusal);
        let (names, places): (Vec<_>, Vec<_>) =
            names.iter().copied().zip(results).filter(|(_, result)| refused(result)).unzip();
        let mut places = places.into_iter();
        for (number, piece) in cut(&names, |name| name.text.len()).enumerate() {
            let Some(by) = pieces.deadline(number) else { break };
            let mended = self.remove_without_scripts(piece, writer, hold_off, by).await;
            let answered = mended.iter().any(Result::is_ok);
            for (mended, place) in mended.into_iter().zip(places.by_ref()) {
                *place = mended.map(&removed);
            }
            // The others stay refused.
            if !answered {
                break;
            }
        }
    }
}

pub(in crate::store) fn millis_or_none(hold_off: Duration) -> u64 {
    if hold_off.is_zero() { 0 } else { millis(hold_off) }
}

impl Item for End<'_> {
    fn name(&self) -> Name<'_> {
        self.name
    }
}
