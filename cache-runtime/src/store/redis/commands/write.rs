//! The operations of writers on many keys: one round trip for all keys of a write, or for each
//! piece of many.

use std::time::Duration;

use crate::metrics::StoreOperation;
use crate::record::{self, Kind};
use crate::store::redis::commands::Command;
use crate::store::redis::commands::encode::{millis, trusted};
use crate::store::redis::commands::pieces::{Pieces, cut};
use crate::store::redis::commands::without_scripts::{Removal, Removed};
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::script::supported::Obstacle;
use crate::store::redis::script::{Arg, Call, Script, script};
use crate::store::{Begin, End, Ended, Invalidate, Keyed, MakeStale, Name, StoreResult};
use crate::support::budget::Deadline;

static INVALIDATE: Script = script!("prelude", "fence", "invalidate");
static MAKE_STALE: Script = script!("prelude", "value", "fence", "make_stale");
static BEGIN: Script = script!("prelude", "fence", "begin");
static END: Script = script!("prelude", "fence", "end");

impl Command for Invalidate {
    const OPERATION: StoreOperation = StoreOperation::Invalidate;

    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        let calls = requests.iter().map(|Keyed { name, request }| Call {
            script: &INVALIDATE,
            key: name.text,
            args: vec![
                session.header(Kind::Fence, *name),
                session.header(Kind::Tombstone, *name),
                Arg::Millis(millis_or_none(request.hold_off)),
            ],
        });
        let calls: Vec<_> = calls.collect();
        let removals = requests.iter().map(|it| Removal::new(it.name, None, it.request.hold_off));
        session.remove(&calls, removals, pieces).await
    }
}

impl Command for MakeStale {
    const OPERATION: StoreOperation = StoreOperation::MakeStale;

    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        let origin = session.insists_on();
        let calls = requests.iter().map(|Keyed { name, request }| Call {
            script: &MAKE_STALE,
            key: name.text,
            args: vec![
                session.header(Kind::Fence, *name),
                Arg::Bytes(request.token.as_bytes()),
                trusted(origin.as_ref()),
            ],
        });
        let calls: Vec<_> = calls.collect();
        // Where no scripts run, nothing is kept.
        let removals = requests.iter().map(|it| Removal::new(it.name, None, Duration::ZERO));
        session.remove(&calls, removals, pieces).await
    }
}

impl Command for Begin {
    const OPERATION: StoreOperation = StoreOperation::Begin;

    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        let calls = requests.iter().map(|Keyed { name, request }| Call {
            script: &BEGIN,
            key: name.text,
            args: vec![
                session.header(Kind::Fence, *name),
                Arg::Bytes(request.writer.as_bytes()),
                Arg::Millis(millis(request.fence)),
            ],
        });
        let calls: Vec<_> = calls.collect();
        session.decide_all(&calls, pieces).await
    }

    /// All of the fences must stand when the body begins, and they are renewed only while it runs.
    fn pieces(&self, by: Deadline) -> Pieces {
        Pieces::new(by).within(self.fence / 3)
    }
}

impl Command for End {
    const OPERATION: StoreOperation = StoreOperation::End;

    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<Ended>> {
        for fill in requests.iter_mut().filter_map(|end| end.request.value.as_mut()) {
            record::set_origin(&mut fill.record, session.origin());
        }
        let calls: Vec<_> = requests.iter().map(|end| session.end_call(end)).collect();
        let replies = session.eval_in_pieces(&calls, pieces).await;
        let mut results: Vec<_> = replies.into_iter().map(|it| session.ended(&it?)).collect();
        let ended = |removed| match removed {
            Removed::Gone | Removed::Foreign => Ended::Removed,
            Removed::Fenced => Ended::Standing,
        };
        let removals = requests.iter().map(|Keyed { name, request }| {
            Removal::new(*name, Some(request.writer), request.hold_off)
        });
        session.mend(removals, &mut results, ended, pieces).await;
        results
    }
}

impl Session<'_> {
    /// Calls scripts that remove something; whether it was ours.
    async fn remove<'a>(
        &mut self,
        calls: &[Call<'_>],
        removals: impl Iterator<Item = Removal<'a>>,
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        let replies = self.eval_in_pieces(calls, pieces).await;
        let results = replies.into_iter().map(|reply| match reply? {
            RespValue::Int(0) => Ok(false),
            RespValue::Int(1..=3) => Ok(true),
            _ => Err(self.out_of_order()),
        });
        let mut results: Vec<_> = results.collect();
        let was_ours = |removed| removed != Removed::Foreign;
        self.mend(removals, &mut results, was_ours, pieces).await;
        results
    }

    fn end_call<'a>(&self, end: &'a Keyed<'_, End>) -> Call<'a> {
        let Keyed { name, request: End { writer, hold_off, value } } = end;
        let mut args = vec![
            self.header(Kind::Fence, *name),
            self.header(Kind::Tombstone, *name),
            Arg::Millis(millis_or_none(*hold_off)),
            Arg::Bytes(writer.as_bytes()),
        ];
        if let Some(fill) = value {
            let (head, tail) = record::around_times(&fill.record);
            args.extend([
                Arg::Bytes(head),
                Arg::Millis(millis(fill.ttl)),
                Arg::Millis(millis(fill.fresh)),
                Arg::Bytes(tail),
            ]);
        }
        Call { script: &END, key: name.text, args }
    }

    fn ended(&self, reply: &RespValue) -> StoreResult<Ended> {
        match reply {
            RespValue::Int(1) => Ok(Ended::Removed),
            RespValue::Int(2) => Ok(Ended::Standing),
            RespValue::Int(3) => Ok(Ended::Stored),
            _ => Err(self.out_of_order()),
        }
    }

    fn header(&self, kind: Kind, name: Name<'_>) -> Arg<'static> {
        Arg::Header(record::header(kind, self.origin(), name.hash))
    }

    /// Removes what could not be removed by script, since none run.
    async fn mend<'a, T>(
        &mut self,
        removals: impl Iterator<Item = Removal<'a>>,
        results: &mut [StoreResult<T>],
        removed: impl Fn(Removed) -> T,
        pieces: Pieces,
    ) {
        let Some(refusal) = self.obstacle().map(Obstacle::refusal) else { return };
        let refused = |result: &StoreResult<T>| result.as_ref().is_err_and(|it| *it == refusal);
        let (removals, places): (Vec<_>, Vec<_>) =
            removals.zip(results).filter(|(_, result)| refused(result)).unzip();
        let mut places = places.into_iter();
        for (number, piece) in cut(&removals, |it| it.name.text.len()).enumerate() {
            let Some(by) = pieces.deadline(number) else { break };
            let mended = self.remove_without_scripts(piece, by).await;
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

fn millis_or_none(hold_off: Duration) -> u64 {
    if hold_off.is_zero() { 0 } else { millis(hold_off) }
}
