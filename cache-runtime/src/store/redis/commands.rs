//! The operations on one key.

use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};

use super::script::{self, Arg, Call, Script};
use super::session::{Session, is_error};
use crate::record::{self, Found, HEADER, Origin};
use crate::store::{Acquired, Deadline, Fill, Name, StoreResult};
use crate::token::Token;

impl Session<'_> {
    pub(super) async fn get(
        &mut self,
        name: Name<'_>,
        deadline: Deadline,
    ) -> StoreResult<Option<Bytes>> {
        let mut get = Cmd::with_capacity(2, 3 + name.text.len());
        get.arg("GET").arg(name.text);
        match self.call(&get, deadline).await? {
            Value::BulkString(record) => {
                if record::is_misplaced(&record, name.hash) {
                    // Boxed, as it is rare: a hit's future stays small.
                    Box::pin(self.verify(name, &record, deadline)).await?;
                }
                match self.insists_on() {
                    Some(origin) if record::is_of_another(&record, origin) => Ok(None),
                    _ => Ok(Some(Bytes::from(record))),
                }
            }
            Value::Nil => Ok(None),
            // What is there does not matter, only that it is no record.
            reply if is_error(&reply, "WRONGTYPE") => Ok(Some(Bytes::new())),
            reply => Err(self.refused(reply)),
        }
    }

    /// Finds out why a record is of another key than the one that was asked for. If the server has it there, somebody
    /// copied it, and the reader passes over it; if not, replies have changed places.
    async fn verify(
        &mut self,
        name: Name<'_>,
        record: &[u8],
        deadline: Deadline,
    ) -> StoreResult<()> {
        let mut again = Cmd::with_capacity(4, 11 + name.text.len());
        again.arg("GETRANGE").arg(name.text).arg(0).arg(HEADER - 1);
        match self.call(&again, deadline).await? {
            Value::BulkString(header) if header == record[..HEADER] => Ok(()),
            _ => Err(self.out_of_order()),
        }
    }

    /// The value, or the lease. A value whose token is `reject` does not count.
    pub(super) async fn acquire(
        &mut self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        reject: Option<Token>,
        deadline: Deadline,
    ) -> StoreResult<Acquired> {
        let ours = record::lease(self.origin(), name.hash, token);
        if reject.is_some() || !self.takes_leases_by_set() {
            return self.acquire_by_script(name, &ours, lease, reject, deadline).await;
        }
        let mut set = Cmd::with_capacity(7, 40 + name.text.len() + ours.len());
        set.arg("SET").arg(name.text).arg(&ours).arg("NX").arg("GET").arg("PX").arg(millis(lease));
        let record = match self.call(&set, deadline).await? {
            Value::Nil => return Ok(Acquired::Leased),
            Value::BulkString(record) => Bytes::from(record),
            reply if is_error(&reply, "ERR") => {
                self.takes_no_leases_by_set();
                return self.acquire_by_script(name, &ours, lease, reject, deadline).await;
            }
            reply if is_error(&reply, "WRONGTYPE") => return Ok(Acquired::Foreign),
            reply => return Err(self.refused(reply)),
        };
        match record::read(record.clone(), name.hash) {
            Found::Value(_) => Ok(Acquired::Value(record)),
            // How long it still has would cost another command; not longer than one of ours.
            Found::Lease => Ok(Acquired::Held(lease)),
            Found::Fence => Ok(Acquired::Fenced),
            Found::Foreign => Ok(Acquired::Foreign),
            Found::Damaged | Found::Misplaced(_) => {
                let useless = record::token(&record);
                self.acquire_by_script(name, &ours, lease, useless, deadline).await
            }
        }
    }

    async fn acquire_by_script(
        &mut self,
        name: Name<'_>,
        ours: &[u8],
        lease: Duration,
        reject: Option<Token>,
        deadline: Deadline,
    ) -> StoreResult<Acquired> {
        let reject = reject.as_ref().map_or(&b""[..], |token| token.as_bytes());
        let origin = self.insists_on();
        let args = vec![
            Arg::Bytes(ours),
            Arg::Millis(millis(lease)),
            trusted(origin.as_ref()),
            Arg::Bytes(reject),
        ];
        let call = Call { script: &script::ACQUIRE, key: name.text, args };
        let Value::Array(reply) = self.eval(&call, deadline).await? else {
            return Err(self.out_of_order());
        };
        let mut reply = reply.into_iter();
        match (reply.next(), reply.next()) {
            (Some(Value::BulkString(kind)), rest) => match (kind.as_slice(), rest) {
                (b"A", None) => Ok(Acquired::Leased),
                (b"F", None) => Ok(Acquired::Fenced),
                (b"X", None) => Ok(Acquired::Foreign),
                // A lease without an end is none of ours; wait for it as for one of ours.
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

    /// Stores a value where the lease of its own token still stands.
    pub(super) async fn fill(
        &mut self,
        name: Name<'_>,
        mut fill: Fill,
        deadline: Deadline,
    ) -> StoreResult<bool> {
        record::set_origin(&mut fill.record, self.origin());
        let origin = self.insists_on();
        let (head, tail) = record::around_times(&fill.record);
        let args = vec![
            Arg::Bytes(head),
            Arg::Millis(millis(fill.ttl)),
            Arg::Millis(millis(fill.fresh)),
            trusted(origin.as_ref()),
            Arg::Bytes(tail),
        ];
        self.decide(&script::FILL, name, args, deadline).await
    }

    /// Replaces the value whose token is `seen`, and no other.
    pub(super) async fn refresh(
        &mut self,
        name: Name<'_>,
        seen: Token,
        mut fill: Fill,
        deadline: Deadline,
    ) -> StoreResult<bool> {
        record::set_origin(&mut fill.record, self.origin());
        let origin = self.insists_on();
        let args = vec![
            Arg::Bytes(&fill.record),
            Arg::Millis(millis(fill.ttl)),
            Arg::Millis(millis(fill.fresh)),
            trusted(origin.as_ref()),
            Arg::Bytes(seen.as_bytes()),
        ];
        self.decide(&script::REFRESH, name, args, deadline).await
    }

    pub(super) async fn release(
        &mut self,
        name: Name<'_>,
        token: Token,
        deadline: Deadline,
    ) -> StoreResult<bool> {
        self.decide(&script::RELEASE, name, vec![Arg::Bytes(token.as_bytes())], deadline).await
    }

    pub(super) async fn renew(
        &mut self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        deadline: Deadline,
    ) -> StoreResult<bool> {
        let args = vec![Arg::Bytes(token.as_bytes()), Arg::Millis(millis(lease))];
        self.decide(&script::RENEW, name, args, deadline).await
    }

    /// Runs a script that says yes or no.
    async fn decide(
        &mut self,
        script: &'static Script,
        name: Name<'_>,
        args: Vec<Arg<'_>>,
        deadline: Deadline,
    ) -> StoreResult<bool> {
        match self.eval(&Call { script, key: name.text, args }, deadline).await? {
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            _ => Err(self.out_of_order()),
        }
    }
}

/// Whole milliseconds, at least one: Redis refuses to expire a key at once. At most a century, which it can add to
/// the present time.
pub(super) fn millis(duration: Duration) -> u64 {
    const CENTURY: u64 = 100 * 365 * 24 * 60 * 60 * 1000;
    u64::try_from(duration.as_millis()).unwrap_or(CENTURY).clamp(1, CENTURY)
}

/// The argument by which a script insists on an origin, or on none.
fn trusted(origin: Option<&Origin>) -> Arg<'_> {
    Arg::Bytes(origin.map_or(&[], |Origin(origin)| origin))
}
