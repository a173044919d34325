//! The operations on one key.

use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};

use crate::record::token::Token;
use crate::record::{self, Found};
use crate::store::redis::commands::encode;
use crate::store::redis::connection::refusal::is_error;
use crate::store::redis::connection::session::Session;
use crate::store::redis::script::Call;
use crate::store::{Acquired, Claim, Fill, Name, StoreResult};
use crate::support::budget::Deadline;

impl Session<'_> {
    /// Asks for a sign of life, of which an error is none.
    pub(in crate::store) async fn ping(&mut self, deadline: Deadline) -> StoreResult<()> {
        let mut ping = Cmd::with_capacity(1, 4);
        ping.arg("PING");
        match self.call(&ping, deadline).await? {
            Value::SimpleString(_) | Value::BulkString(_) => Ok(()),
            reply => Err(self.refused(reply)),
        }
    }

    /// The server's time, in milliseconds since the Unix epoch.
    pub(in crate::store) async fn now_ms(&mut self, deadline: Deadline) -> StoreResult<u64> {
        let mut time = Cmd::with_capacity(1, 4);
        time.arg("TIME");
        let reply = self.read(&time, deadline).await?;
        in_millis(&reply).ok_or_else(|| self.refused(reply))
    }

    /// The value, or the lease. A value whose token is `reject` is ignored.
    pub(in crate::store) async fn acquire(
        &mut self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        reject: Option<Token>,
        deadline: Deadline,
    ) -> StoreResult<Acquired> {
        if self.is_quiet() {
            return Ok(Acquired::Quiet);
        }
        // Nor a lease by `SET`, which nobody could fill.
        self.require_scripts()?;
        let claim = Claim { name, token, reject };
        let ours = record::lease(self.origin(), name.hash, token);
        let reject = if self.may_take_by_set(claim) {
            let reply = self.call(&encode::take_by_set(name, &ours, lease), deadline).await?;
            match self.taken_by_set(name, lease, reply) {
                Taken::Known(acquired) => return acquired,
                Taken::Unknown(useless) => useless,
            }
        } else {
            reject
        };
        let origin = self.insists_on();
        let call = encode::acquire(name, &ours, lease, reject.as_ref(), origin.as_ref());
        let reply = self.eval(&call, deadline).await?;
        self.acquired(name, lease, reply, deadline).await
    }

    /// Whether a plain `SET` will do, which brings the value if there is one, however large.
    pub(in crate::store) fn may_take_by_set(&self, claim: Claim<'_>) -> bool {
        claim.reject.is_none() && self.takes_leases_by_set() && !self.is_large(claim.name)
    }

    /// What the reply of [`take_by_set`](calls::take_by_set) says.
    pub(in crate::store) fn taken_by_set(
        &mut self,
        name: Name<'_>,
        lease: Duration,
        reply: Value,
    ) -> Taken {
        let record = match reply {
            Value::Nil => return Taken::Known(Ok(Acquired::Leased)),
            Value::BulkString(record) => Bytes::from(record),
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
            Found::Damaged | Found::Misplaced(_) => return Taken::Unknown(record::token(&record)),
        }))
    }

    /// What the reply of the script says.
    pub(in crate::store) async fn acquired(
        &mut self,
        name: Name<'_>,
        lease: Duration,
        reply: Value,
        deadline: Deadline,
    ) -> StoreResult<Acquired> {
        let Value::Array(reply) = reply else {
            return Err(self.out_of_order());
        };
        let mut reply = reply.into_iter();
        match (reply.next(), reply.next()) {
            (Some(Value::BulkString(kind)), rest) => match (kind.as_slice(), rest) {
                (b"A", None) => Ok(Acquired::Leased),
                (b"B", None) => Box::pin(self.acquired_large(name, deadline)).await,
                (b"F", None) => Ok(Acquired::Fenced),
                (b"X", None) => Ok(Acquired::Foreign),
                // A lease that never expires is not ours. Wait for it as if it were.
                (b"L", Some(Value::Int(left))) => {
                    Ok(Acquired::Held(u64::try_from(left).map_or(lease, Duration::from_millis)))
                }
                (b"V", Some(Value::BulkString(record)))
                    if !record::is_misplaced(&record, name.hash) =>
                {
                    Ok(Acquired::Value(Bytes::from(record)))
                }
                _ => Err(self.out_of_order()),
            },
            _ => Err(self.out_of_order()),
        }
    }

    /// A value that is large, or nothing usable if it has gone meanwhile: as where somebody else is about to store one.
    #[cold]
    async fn acquired_large(&mut self, name: Name<'_>, by: Deadline) -> StoreResult<Acquired> {
        let record = self.get_large(name, by).await?;
        Ok(record.map_or(Acquired::Held(Duration::ZERO), Acquired::Value))
    }

    /// Stores a value if the key still holds the lease with its token.
    pub(in crate::store) async fn fill(
        &mut self,
        name: Name<'_>,
        fill: &mut Fill,
        deadline: Deadline,
    ) -> StoreResult<bool> {
        if self.is_quiet() {
            return Ok(false);
        }
        self.node().large_keys().note(name.hash, fill.record.len());
        record::set_origin(&mut fill.record, self.origin());
        let origin = self.insists_on();
        self.decide(&encode::fill_lease(name, fill, origin.as_ref()), deadline).await
    }

    /// Replaces the value whose token is `seen`, and no other.
    pub(in crate::store) async fn refresh(
        &mut self,
        name: Name<'_>,
        seen: Token,
        fill: &mut Fill,
        deadline: Deadline,
    ) -> StoreResult<bool> {
        if self.is_quiet() {
            return Ok(false);
        }
        self.node().large_keys().note(name.hash, fill.record.len());
        record::set_origin(&mut fill.record, self.origin());
        let origin = self.insists_on();
        self.decide(&encode::replace(name, &seen, fill, origin.as_ref()), deadline).await
    }

    pub(in crate::store) async fn release(
        &mut self,
        name: Name<'_>,
        token: Token,
        deadline: Deadline,
    ) -> StoreResult<bool> {
        self.decide(&encode::release(name, &token), deadline).await
    }

    pub(in crate::store) async fn renew(
        &mut self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        deadline: Deadline,
    ) -> StoreResult<bool> {
        self.decide(&encode::renew(name, &token, lease), deadline).await
    }

    /// Runs a script that answers yes or no.
    async fn decide(&mut self, call: &Call<'_>, deadline: Deadline) -> StoreResult<bool> {
        let reply = self.eval(call, deadline).await?;
        self.decided(&reply)
    }

    /// The answer of a script that answers yes or no.
    pub(in crate::store) fn decided(&self, reply: &Value) -> StoreResult<bool> {
        match reply {
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            _ => Err(self.out_of_order()),
        }
    }
}

/// The outcome of an attempt to take a lease by `SET`.
pub(in crate::store) enum Taken {
    Known(StoreResult<Acquired>),
    /// The script has to decide; a value with this token is ignored.
    Unknown(Option<Token>),
}

/// The reply to `TIME`, which is in seconds and microseconds.
fn in_millis(time: &Value) -> Option<u64> {
    let number = |part: &Value| match part {
        Value::BulkString(digits) => std::str::from_utf8(digits).ok()?.parse::<u64>().ok(),
        _ => None,
    };
    match time {
        Value::Array(parts) => match parts.as_slice() {
            [seconds, micros] => Some(number(seconds)? * 1000 + number(micros)? / 1000),
            _ => None,
        },
        _ => None,
    }
}
