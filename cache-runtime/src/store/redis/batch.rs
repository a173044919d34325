//! The operations of writers on many keys: one round trip for all keys of a write.

use std::time::Duration;

use redis::Value;

use super::calls::millis;
use super::script::{self, Arg, Call};
use super::session::Session;
use super::split::Item;
use crate::record::{self, Kind};
use crate::store::{Deadline, End, Ended, Name, StoreError, StoreResult};
use crate::token::Token;

impl Session<'_> {
    /// Removes values and leases, and lifts no fence. One result per name.
    pub(super) async fn invalidate(
        &mut self,
        names: &[Name<'_>],
        hold_off: Duration,
        deadline: Deadline,
    ) -> Vec<StoreResult<()>> {
        let removed = self.remove(names, hold_off, deadline).await;
        removed.into_iter().map(|removed| removed.map(|_| ())).collect()
    }

    /// Whether each key held, or may have held, something of ours.
    pub(super) async fn remove(
        &mut self,
        names: &[Name<'_>],
        hold_off: Duration,
        deadline: Deadline,
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
        let replies = self.eval_all(&calls, deadline).await;
        let results = replies.into_iter().map(|reply| match reply? {
            Value::Int(0) => Ok(false),
            Value::Int(1 | 2) => Ok(true),
            _ => Err(self.out_of_order()),
        });
        let mut results: Vec<_> = results.collect();
        self.mend(names, &mut results, |was_ours| was_ours, hold_off, deadline).await;
        results
    }

    /// Puts up a writer's fence. False: the value was removed, but the fence could not be put up.
    pub(super) async fn begin(
        &mut self,
        names: &[Name<'_>],
        writer: Token,
        fence: Duration,
        deadline: Deadline,
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
        let replies = self.eval_all(&calls, deadline).await;
        let results = replies.into_iter().map(|reply| match reply? {
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            _ => Err(self.out_of_order()),
        });
        results.collect()
    }

    /// Lifts a writer's fences, and stores each of its values if no other writer has overlapped.
    pub(super) async fn end(
        &mut self,
        ends: &mut [End<'_>],
        writer: Token,
        hold_off: Duration,
        deadline: Deadline,
    ) -> Vec<StoreResult<Ended>> {
        for fill in ends.iter_mut().filter_map(|end| end.value.as_mut()) {
            record::set_origin(&mut fill.record, self.origin());
        }
        let calls: Vec<_> = ends.iter().map(|end| self.end_call(end, &writer, hold_off)).collect();
        let replies = self.eval_all(&calls, deadline).await;
        let mut results: Vec<_> = replies.into_iter().map(|reply| self.ended(&reply?)).collect();
        let names: Vec<_> = ends.iter().map(|end| end.name).collect();
        self.mend(&names, &mut results, |_| Ended::Removed, hold_off, deadline).await;
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

    /// Repairs the results that failed because this user may not run scripts.
    async fn mend<T>(
        &mut self,
        names: &[Name<'_>],
        results: &mut [StoreResult<T>],
        removed: impl Fn(bool) -> T,
        hold_off: Duration,
        deadline: Deadline,
    ) {
        let refused = |result: &StoreResult<T>| matches!(result, Err(StoreError::Refused(code)) if code == "NOPERM");
        let (names, places): (Vec<_>, Vec<_>) =
            names.iter().zip(results).filter(|(_, result)| refused(result)).unzip();
        if !names.is_empty() {
            let mended = self.remove_without_scripts(&names, hold_off, deadline).await;
            for (place, was_ours) in places.into_iter().zip(mended) {
                *place = was_ours.map(&removed);
            }
        }
    }
}

pub(super) fn millis_or_none(hold_off: Duration) -> u64 {
    if hold_off.is_zero() { 0 } else { millis(hold_off) }
}

impl Item for End<'_> {
    fn name(&self) -> Name<'_> {
        self.name
    }
}
