//! The operations of reads on many keys: one round trip for all keys of a batch, unless that would delay other
//! callers too long.

use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Pipeline, Value};

use super::RedisStore;
use super::calls;
use super::commands::Taken;
use super::script::Call;
use super::session::{BATCH, Session, is_error};
use super::split::{Item, split};
use crate::record::{self, Origin};
use crate::store::{Acquired, Claim, Deadline, Filling, Name, StoreError, StoreResult};

impl RedisStore {
    /// The record of each key.
    pub(crate) async fn get_many(
        &self,
        names: &[Name<'_>],
        by: Deadline,
    ) -> Vec<StoreResult<Option<Bytes>>> {
        split!(self, names.to_vec(), by, |session, names| session.get_many(names, by))
    }

    /// The value of each key, or its lease.
    pub(crate) async fn acquire_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Acquired>> {
        split!(self, claims.to_vec(), by, |session, claims| session.acquire_many(claims, lease, by))
    }

    /// Stores each value whose lease, or the value that it replaces, still stands.
    pub(crate) async fn fill_many(
        &self,
        fillings: Vec<Filling<'_>>,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        split!(self, fillings, by, |session, fillings| session.fill_many(fillings, by))
    }

    /// Keeps leases for another `lease`.
    pub(crate) async fn renew_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        split!(self, claims.to_vec(), by, |session, claims| session.renew_many(claims, lease, by))
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
    /// `MGET`, or a `GET` of each key.
    pub(super) async fn get_many(
        &mut self,
        names: &[Name<'_>],
        deadline: Deadline,
    ) -> Vec<StoreResult<Option<Bytes>>> {
        let mut results = Vec::with_capacity(names.len());
        for chunk in names.chunks(BATCH) {
            let records = match self.records(chunk, deadline).await {
                Ok(records) => records,
                Err(error) => {
                    results.resize(names.len(), Err(error));
                    break;
                }
            };
            for (name, record) in chunk.iter().zip(records) {
                results.push(match record {
                    Value::BulkString(record) => self.got(*name, record, deadline).await,
                    Value::Nil => Ok(None),
                    // As with `MGET`, for which another type looks like nothing: `acquire` will tell.
                    reply if is_error(&reply, "WRONGTYPE") => Ok(None),
                    reply => Err(self.refused(reply)),
                });
            }
        }
        results
    }

    /// What each key holds.
    async fn records(&mut self, names: &[Name<'_>], deadline: Deadline) -> StoreResult<Vec<Value>> {
        if !self.takes_many_keys() {
            let mut gets = Pipeline::with_capacity(names.len());
            for name in names {
                gets.cmd("GET").arg(name.text);
            }
            return self.call_all(&gets, deadline).await;
        }
        let size = names.iter().map(|name| name.text.len()).sum::<usize>();
        let mut get = Cmd::with_capacity(1 + names.len(), 4 + size);
        get.arg("MGET");
        for name in names {
            get.arg(name.text);
        }
        match self.call(&get, deadline).await? {
            Value::Array(records) if records.len() == names.len() => Ok(records),
            reply => Err(self.refused(reply)),
        }
    }

    /// The value of each key, or its lease.
    pub(super) async fn acquire_many(
        &mut self,
        claims: &[Claim<'_>],
        lease: Duration,
        deadline: Deadline,
    ) -> Vec<StoreResult<Acquired>> {
        let origin = self.origin();
        let ours = claims.iter().map(|it| record::lease(origin, it.name.hash, it.token));
        let ours: Vec<_> = ours.collect();
        let taken = self.take_many_by_set(claims, &ours, lease, deadline).await;

        let origin = self.insists_on();
        let claimed = claims.iter().zip(&ours).zip(&taken);
        let calls = claimed.filter_map(|((claim, ours), taken)| match taken {
            Taken::Known(_) => None,
            Taken::Unknown(reject) => {
                let (reject, origin) = (reject.as_ref(), origin.as_ref());
                Some(calls::acquire(claim.name, ours, lease, reject, origin))
            }
        });
        let calls: Vec<_> = calls.collect();
        let mut replies = self.eval_all(&calls, deadline).await.into_iter();

        let acquired = |(claim, taken): (&Claim<'_>, Taken)| match taken {
            Taken::Known(acquired) => acquired,
            Taken::Unknown(_) => {
                let reply = replies.next().unwrap_or(Err(StoreError::Unexpected))?;
                self.acquired(claim.name, lease, reply)
            }
        };
        claims.iter().zip(taken).map(acquired).collect()
    }

    /// Takes the leases that a plain `SET` can take.
    async fn take_many_by_set(
        &mut self,
        claims: &[Claim<'_>],
        ours: &[impl AsRef<[u8]>],
        lease: Duration,
        deadline: Deadline,
    ) -> Vec<Taken> {
        let mut taken: Vec<_> = claims.iter().map(|claim| Taken::Unknown(claim.reject)).collect();
        let open = claims.iter().zip(ours).zip(&mut taken);
        let mut open: Vec<_> =
            open.filter(|((claim, _), _)| self.may_take_by_set(**claim)).collect();
        for chunk in open.chunks_mut(BATCH) {
            let mut commands = Pipeline::with_capacity(chunk.len());
            for ((claim, ours), _) in &*chunk {
                commands.add_command(calls::take_by_set(claim.name, ours.as_ref(), lease));
            }
            match self.call_all(&commands, deadline).await {
                Ok(replies) => {
                    for (((claim, _), taken), reply) in chunk.iter_mut().zip(replies) {
                        **taken = self.taken_by_set(claim.name, lease, reply);
                    }
                }
                Err(error) => {
                    for (_, taken) in chunk {
                        **taken = Taken::Known(Err(error.clone()));
                    }
                }
            }
        }
        taken
    }

    /// Stores each value whose lease, or the value that it replaces, still stands.
    pub(super) async fn fill_many(
        &mut self,
        fillings: &mut [Filling<'_>],
        deadline: Deadline,
    ) -> Vec<StoreResult<bool>> {
        for filling in &mut *fillings {
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
            let decided = self.decide_all(&calls, deadline).await;
            places.into_iter().zip(decided).for_each(|(place, decided)| *place = decided);
        }
        results
    }

    /// Keeps leases for another `lease`.
    pub(super) async fn renew_many(
        &mut self,
        claims: &[Claim<'_>],
        lease: Duration,
        deadline: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let calls: Vec<_> =
            claims.iter().map(|claim| calls::renew(claim.name, &claim.token, lease)).collect();
        self.decide_all(&calls, deadline).await
    }

    /// Runs a script that says yes or no on many keys.
    async fn decide_all(
        &mut self,
        calls: &[Call<'_>],
        deadline: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let replies = self.eval_all(calls, deadline).await;
        replies.into_iter().map(|reply| self.decided(&reply?)).collect()
    }
}

fn fill<'a>(filling: &'a Filling<'a>, origin: Option<&'a Origin>) -> Call<'a> {
    let Filling { name, seen, fill } = filling;
    match seen {
        None => calls::fill_lease(*name, fill, origin),
        Some(seen) => calls::replace(*name, seen, fill, origin),
    }
}
