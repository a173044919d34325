//! Getting a value or the lease: by a plain `SET` where it tells enough, or else by a script.

use std::time::Duration;

use crate::metrics::StoreOperation;
use crate::record::token::Token;
use crate::record::{self, Found, Origin};
use crate::store::redis::commands::Command;
use crate::store::redis::commands::encode::{millis, trusted};
use crate::store::redis::commands::pieces::Pieces;
use crate::store::redis::connection::large::LARGEST;
use crate::store::redis::connection::multiplexer::{Pack, Replies};
use crate::store::redis::connection::refusal::is_error;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::{RespValue, write};
use crate::store::redis::script::{Arg, Call, Script, script};
use crate::store::{Acquire, Acquired, Keyed, Name, PIECE, StoreError, StoreResult};
use crate::support::budget::Deadline;

static ACQUIRE: Script = script!("prelude", "value", "acquire");

type Claim<'a> = Keyed<'a, Acquire>;

/// The outcome of an attempt to take a lease by `SET`.
enum Taken {
    Known(StoreResult<Acquired>),
    /// The script has to decide; a value with this token is ignored.
    Unknown(Option<Token>),
}

/// `SET key lease NX GET PX milliseconds`: takes a lease where there is nothing, or brings what
/// there is.
#[derive(Clone, Copy, Debug)]
struct TakeBySet<'a> {
    name: Name<'a>,
    ours: &'a [u8],
    lease: Duration,
}

impl Pack for TakeBySet<'_> {
    type Replies = RespValue;

    fn pack(self, before: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(before);
        write::array(7, out);
        for word in [b"SET", self.name.text.as_bytes(), self.ours, b"NX", b"GET", b"PX"] {
            write::word(word, out);
        }
        write::number(millis(self.lease), out);
    }

    fn unpack(replies: Replies) -> Option<RespValue> {
        replies.one()
    }
}

fn by_script<'a>(
    name: Name<'a>,
    ours: &'a [u8],
    lease: Duration,
    reject: Option<&'a Token>,
    origin: Option<&'a Origin>,
) -> Call<'a> {
    let reject = reject.map_or(&b""[..], |token| token.as_bytes());
    let args = vec![
        Arg::Bytes(ours),
        Arg::Millis(millis(lease)),
        trusted(origin),
        Arg::Bytes(reject),
        Arg::Bytes(LARGEST),
    ];
    Call { script: &ACQUIRE, key: name.text, args }
}

impl Command for Acquire {
    const OPERATION: StoreOperation = StoreOperation::Acquire;

    async fn send(
        claim: &mut Claim<'_>,
        session: &mut Session<'_>,
        by: Deadline,
    ) -> StoreResult<Acquired> {
        // Nor a lease by `SET`, which nobody could fill.
        session.require_scripts()?;
        let Keyed { name, request: Self { token, lease, reject } } = *claim;
        let ours = record::lease(session.origin(), name.hash, token);
        let reject = if session.may_take_by_set(claim) {
            let reply = session.call(TakeBySet { name, ours: &ours, lease }, by).await?;
            match session.taken_by_set(name, lease, reply) {
                Taken::Known(acquired) => return acquired,
                Taken::Unknown(useless) => useless,
            }
        } else {
            reject
        };
        let origin = session.insists_on();
        let call = by_script(name, &ours, lease, reject.as_ref(), origin.as_ref());
        let reply = session.eval(&call, by).await?;
        session.acquired(name, lease, reply, by).await
    }

    async fn send_all(
        claims: &mut [Claim<'_>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<Acquired>> {
        let origin = session.origin();
        let ours = claims.iter().map(|it| record::lease(origin, it.name.hash, it.request.token));
        let ours: Vec<_> = ours.collect();
        let taken = session.take_many_by_set(claims, &ours, pieces).await;

        let origin = session.insists_on();
        let claimed = claims.iter().zip(&ours).zip(&taken);
        let calls = claimed.filter_map(|((claim, ours), taken)| match taken {
            Taken::Known(_) => None,
            Taken::Unknown(reject) => {
                let (lease, origin) = (claim.request.lease, origin.as_ref());
                Some(by_script(claim.name, ours, lease, reject.as_ref(), origin))
            }
        });
        let calls: Vec<_> = calls.collect();
        let mut replies = session.eval_in_pieces(&calls, pieces).await.into_iter();

        let mut results = Vec::with_capacity(claims.len());
        for (claim, taken) in claims.iter().zip(taken) {
            results.push(match taken {
                Taken::Known(acquired) => acquired,
                Taken::Unknown(_) => match (replies.next(), pieces.deadline(1)) {
                    (Some(Ok(reply)), Some(by)) => {
                        session.acquired(claim.name, claim.request.lease, reply, by).await
                    }
                    (Some(Err(error)), _) => Err(error),
                    (Some(Ok(_)), None) => Err(StoreError::TimedOut),
                    (None, _) => Err(StoreError::Unexpected),
                },
            });
        }
        results
    }
}

impl Session<'_> {
    /// Whether a plain `SET` will do, which brings the value if there is one, however large.
    fn may_take_by_set(&self, claim: &Claim<'_>) -> bool {
        claim.request.reject.is_none() && self.takes_leases_by_set() && !self.is_large(claim.name)
    }

    /// What the reply of [`TakeBySet`] says.
    fn taken_by_set(&mut self, name: Name<'_>, lease: Duration, reply: RespValue) -> Taken {
        let record = match reply {
            RespValue::Nil => return Taken::Known(Ok(Acquired::Leased)),
            RespValue::BulkString(record) => record,
            reply if is_error(&reply, "ERR") => {
                self.takes_no_leases_by_set();
                return Taken::Unknown(None);
            }
            reply if is_error(&reply, "WRONGTYPE") => return Taken::Known(Ok(Acquired::Foreign)),
            reply => return Taken::Known(Err(self.refused(reply))),
        };
        self.node().large_keys().note_record(name.hash, &record);
        Taken::Known(Ok(match record::read(record.clone(), name.hash) {
            Found::Value(_) => Acquired::Value(record),
            // Its remaining time would cost another command; it is at most that of one of ours.
            Found::Lease => Acquired::Held(lease),
            Found::Fence => Acquired::Fenced,
            Found::Foreign => Acquired::Foreign,
            Found::Damaged | Found::Misplaced(_) | Found::OfAnotherPrimary => {
                return Taken::Unknown(record::token(&record));
            }
        }))
    }

    /// What the reply of the script says.
    async fn acquired(
        &mut self,
        name: Name<'_>,
        lease: Duration,
        reply: RespValue,
        deadline: Deadline,
    ) -> StoreResult<Acquired> {
        let RespValue::Array(reply) = reply else {
            return Err(self.out_of_order());
        };
        let mut reply = reply.into_iter();
        match (reply.next(), reply.next()) {
            (Some(RespValue::BulkString(kind)), rest) => match (&kind[..], rest) {
                (b"A", None) => Ok(Acquired::Leased),
                (b"B", None) => Box::pin(self.acquired_large(name, deadline)).await,
                (b"F", None) => Ok(Acquired::Fenced),
                (b"X", None) => Ok(Acquired::Foreign),
                // A lease that never expires is not ours. Wait for it as if it were.
                (b"L", Some(RespValue::Int(left))) => {
                    Ok(Acquired::Held(u64::try_from(left).map_or(lease, Duration::from_millis)))
                }
                (b"V", Some(RespValue::BulkString(record)))
                    if !record::is_misplaced(&record, name.hash) =>
                {
                    Ok(Acquired::Value(record))
                }
                _ => Err(self.out_of_order()),
            },
            _ => Err(self.out_of_order()),
        }
    }

    /// A value that is large, or nothing usable if it has gone meanwhile: as where somebody else is
    /// about to store one.
    #[cold]
    async fn acquired_large(&mut self, name: Name<'_>, by: Deadline) -> StoreResult<Acquired> {
        let record = self.get_large(name, by).await?;
        Ok(record.map_or(Acquired::Held(Duration::ZERO), Acquired::Value))
    }

    /// Takes the leases that a plain `SET` can take.
    async fn take_many_by_set(
        &mut self,
        claims: &[Claim<'_>],
        ours: &[impl AsRef<[u8]>],
        pieces: Pieces,
    ) -> Vec<Taken> {
        let mut taken: Vec<_> =
            claims.iter().map(|claim| Taken::Unknown(claim.request.reject)).collect();
        let open = claims.iter().zip(ours).zip(&mut taken);
        let mut open: Vec<_> = open.filter(|((claim, _), _)| self.may_take_by_set(claim)).collect();
        let (mut rest, mut failed) = (&mut open[..], None);
        for number in 0.. {
            let (piece, others) = rest.split_at_mut(PIECE.min(rest.len()));
            rest = others;
            if piece.is_empty() {
                break;
            }
            let replies = match (&failed, pieces.deadline(number)) {
                // Once a piece has not been answered, nothing more is sent.
                (Some(error), _) => Err(StoreError::clone(error)),
                (None, None) => Err(StoreError::TimedOut),
                (None, Some(by)) => {
                    let commands = piece.iter().map(|((claim, ours), _)| TakeBySet {
                        name: claim.name,
                        ours: ours.as_ref(),
                        lease: claim.request.lease,
                    });
                    self.call_piece(&commands.collect::<Vec<_>>()[..], by).await
                }
            };
            match replies {
                Ok(replies) => {
                    for (((claim, _), taken), reply) in piece.iter_mut().zip(replies) {
                        **taken = self.taken_by_set(claim.name, claim.request.lease, reply);
                    }
                }
                Err(error) => {
                    for (_, taken) in piece {
                        **taken = Taken::Known(Err(error.clone()));
                    }
                    failed = Some(error);
                }
            }
        }
        taken
    }
}
