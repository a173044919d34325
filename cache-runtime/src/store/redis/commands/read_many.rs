//! The operations of reads on many keys: one round trip for all keys of a batch, unless that would delay other
//! callers too long.

use std::time::Duration;

use bytes::Bytes;
use redis::Pipeline;

use crate::record::{self, Origin};
use crate::store::redis::RedisStore;
use crate::store::redis::commands::encode;
use crate::store::redis::commands::pieces::Pieces;
use crate::store::redis::commands::read::Taken;
use crate::store::redis::connection::session::Session;
use crate::store::redis::script::Call;
use crate::store::redis::topology::scatter::{Item, split};
use crate::store::{Acquired, Claim, Filling, Name, PIECE, StoreError, StoreResult};
use crate::support::budget::Deadline;

impl RedisStore {
    /// The record of each key.
    pub(crate) async fn get_many(
        &self,
        names: &[Name<'_>],
        by: Deadline,
    ) -> Vec<StoreResult<Option<Bytes>>> {
        let pieces = Pieces::new(by);
        split!(self, names.to_vec(), by, |session, names| session.get_many(names, pieces))
    }

    /// The value of each key, or its lease.
    pub(crate) async fn acquire_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Acquired>> {
        let pieces = Pieces::new(by);
        split!(self, claims.to_vec(), by, |session, claims| session
            .acquire_many(claims, lease, pieces))
    }

    /// Stores each value whose lease, or the value that it replaces, still stands.
    pub(crate) async fn fill_many(
        &self,
        fillings: Vec<Filling<'_>>,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let pieces = Pieces::new(by);
        split!(self, fillings, by, |session, fillings| session.fill_many(fillings, pieces))
    }

    /// Keeps leases for another `lease`.
    pub(crate) async fn renew_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let pieces = Pieces::new(by);
        split!(self, claims.to_vec(), by, |session, claims| session
            .renew_many(claims, lease, pieces))
    }
}

impl Item for Claim<'_> {
    fn name(&self) -> Name<'_> {
        self.name
    }
}

impl Item for Filling<'_> {
    fn name(&self) -> Name<'_> {
        self.name
    }
}

impl Session<'_> {
    /// The value of each key, or its lease.
    pub(in crate::store) async fn acquire_many(
        &mut self,
        claims: &[Claim<'_>],
        lease: Duration,
        pieces: Pieces,
    ) -> Vec<StoreResult<Acquired>> {
        if self.is_quiet() {
            return claims.iter().map(|_| Ok(Acquired::Quiet)).collect();
        }
        let origin = self.origin();
        let ours = claims.iter().map(|it| record::lease(origin, it.name.hash, it.token));
        let ours: Vec<_> = ours.collect();
        let taken = self.take_many_by_set(claims, &ours, lease, pieces).await;

        let origin = self.insists_on();
        let claimed = claims.iter().zip(&ours).zip(&taken);
        let calls = claimed.filter_map(|((claim, ours), taken)| match taken {
            Taken::Known(_) => None,
            Taken::Unknown(reject) => {
                let (reject, origin) = (reject.as_ref(), origin.as_ref());
                Some(encode::acquire(claim.name, ours, lease, reject, origin))
            }
        });
        let calls: Vec<_> = calls.collect();
        let mut replies = self.eval_in_pieces(&calls, pieces).await.into_iter();

        let mut results = Vec::with_capacity(claims.len());
        for (claim, taken) in claims.iter().zip(taken) {
            results.push(match taken {
                Taken::Known(acquired) => acquired,
                Taken::Unknown(_) => match (replies.next(), pieces.deadline(1)) {
                    (Some(Ok(reply)), Some(by)) => {
                        self.acquired(claim.name, lease, reply, by).await
                    }
                    (Some(Err(error)), _) => Err(error),
                    (Some(Ok(_)), None) => Err(StoreError::TimedOut),
                    (None, _) => Err(StoreError::Unexpected),
                },
            });
        }
        results
    }

    /// Takes the leases that a plain `SET` can take.
    async fn take_many_by_set(
        &mut self,
        claims: &[Claim<'_>],
        ours: &[impl AsRef<[u8]>],
        lease: Duration,
        pieces: Pieces,
    ) -> Vec<Taken> {
        let mut taken: Vec<_> = claims.iter().map(|claim| Taken::Unknown(claim.reject)).collect();
        let open = claims.iter().zip(ours).zip(&mut taken);
        let mut open: Vec<_> =
            open.filter(|((claim, _), _)| self.may_take_by_set(**claim)).collect();
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
                    let mut commands = Pipeline::with_capacity(piece.len());
                    for ((claim, ours), _) in &*piece {
                        commands.add_command(encode::take_by_set(claim.name, ours.as_ref(), lease));
                    }
                    self.call_piece(&commands, by).await
                }
            };
            match replies {
                Ok(replies) => {
                    for (((claim, _), taken), reply) in piece.iter_mut().zip(replies) {
                        **taken = self.taken_by_set(claim.name, lease, reply);
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

    /// Stores each value whose lease, or the value that it replaces, still stands.
    pub(in crate::store) async fn fill_many(
        &mut self,
        fillings: &mut [Filling<'_>],
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        if self.is_quiet() {
            return vec![Ok(false); fillings.len()];
        }
        for filling in &mut *fillings {
            self.node().large_keys().note(filling.name.hash, filling.fill.record.len());
            record::set_origin(&mut filling.fill.record, self.origin());
        }
        let origin = self.insists_on();
        // One script at a time: the first call of each loads it into the server for the others.
        let mut results = vec![Err(StoreError::Unexpected); fillings.len()];
        for replaces in [false, true] {
            let chosen = fillings.iter().zip(&mut results);
            let chosen = chosen.filter(|(filling, _)| filling.seen.is_some() == replaces);
            let (calls, places): (Vec<_>, Vec<_>) =
                chosen.map(|(filling, place)| (fill(filling, origin.as_ref()), place)).unzip();
            let decided = self.decide_all(&calls, pieces).await;
            places.into_iter().zip(decided).for_each(|(place, decided)| *place = decided);
        }
        results
    }

    /// Keeps leases for another `lease`.
    pub(in crate::store) async fn renew_many(
        &mut self,
        claims: &[Claim<'_>],
        lease: Duration,
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        let calls: Vec<_> =
            claims.iter().map(|claim| encode::renew(claim.name, &claim.token, lease)).collect();
        self.decide_all(&calls, pieces).await
    }

    /// Runs a script that says yes or no on many keys.
    async fn decide_all(&mut self, calls: &[Call<'_>], pieces: Pieces) -> Vec<StoreResult<bool>> {
        let replies = self.eval_in_pieces(calls, pieces).await;
        replies.into_iter().map(|reply| self.decided(&reply?)).collect()
    }
}

fn fill<'a>(filling: &'a Filling<'a>, origin: Option<&'a Origin>) -> Call<'a> {
    let Filling { name, seen, fill } = filling;
    match seen {
        None => encode::fill_lease(*name, fill, origin),
        Some(seen) => encode::replace(*name, seen, fill, origin),
    }
}
