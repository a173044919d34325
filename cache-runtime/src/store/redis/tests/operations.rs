//! Requests in the short form in which the tests here make them.

use std::time::Duration;

use bytes::Bytes;

use crate::record::token::Token;
use crate::store::redis::RedisStore;
use crate::store::{
    Acquire, Acquired, Begin, Ended, Fill, Get, Invalidate, Keyed, Name, Refresh, Release, Renew,
    StoreResult,
};
use crate::support::budget::Deadline;

/// One of many keys to be leased.
#[derive(Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) name: Name<'a>,
    pub(super) token: Token,
    pub(super) reject: Option<Token>,
}

/// One of many values to be stored, by a load or, instead of `seen`, by a refresh.
pub(super) struct Filling<'a> {
    pub(super) name: Name<'a>,
    pub(super) seen: Option<Token>,
    pub(super) fill: Fill,
}

/// The end of a write, for one of its keys.
pub(super) struct End<'a> {
    pub(super) name: Name<'a>,
    pub(super) value: Option<Fill>,
}

impl RedisStore {
    pub(super) async fn get(&self, name: Name<'_>, by: Deadline) -> StoreResult<Option<Bytes>> {
        self.router.send(Keyed { name, request: Get }, by).await
    }

    pub(super) async fn get_many(
        &self,
        names: &[Name<'_>],
        by: Deadline,
    ) -> Vec<StoreResult<Option<Bytes>>> {
        self.router.send_all(Keyed::each(names, &Get), by).await
    }

    pub(super) async fn acquire(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        reject: Option<Token>,
        by: Deadline,
    ) -> StoreResult<Acquired> {
        self.router.send(Keyed { name, request: Acquire { token, lease, reject } }, by).await
    }

    pub(super) async fn acquire_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Acquired>> {
        let claims = claims.iter().map(|&Claim { name, token, reject }| Keyed {
            name,
            request: Acquire { token, lease, reject },
        });
        self.router.send_all(claims.collect(), by).await
    }

    pub(super) async fn fill(&self, name: Name<'_>, fill: Fill, by: Deadline) -> StoreResult<bool> {
        self.router.send(Keyed { name, request: fill }, by).await
    }

    pub(super) async fn refresh(
        &self,
        name: Name<'_>,
        seen: Token,
        fill: Fill,
        by: Deadline,
    ) -> StoreResult<bool> {
        self.router.send(Keyed { name, request: Refresh { seen, fill } }, by).await
    }

    /// Refreshes first: they are the first ones in the tests.
    pub(super) async fn fill_many(
        &self,
        fillings: Vec<Filling<'_>>,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let (mut refreshes, mut fills) = (Vec::new(), Vec::new());
        for Filling { name, seen, fill } in fillings {
            match seen {
                Some(seen) => {
                    assert!(fills.is_empty(), "refreshes come first");
                    refreshes.push(Keyed { name, request: Refresh { seen, fill } });
                }
                None => fills.push(Keyed { name, request: fill }),
            }
        }
        let mut results = self.router.send_all(refreshes, by).await;
        results.extend(self.router.send_all(fills, by).await);
        results
    }

    pub(super) async fn release(
        &self,
        name: Name<'_>,
        token: Token,
        by: Deadline,
    ) -> StoreResult<bool> {
        self.router.send(Keyed { name, request: Release { token } }, by).await
    }

    pub(super) async fn renew(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        by: Deadline,
    ) -> StoreResult<bool> {
        self.router.send(Keyed { name, request: Renew { token, lease } }, by).await
    }

    pub(super) async fn renew_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let claims = claims
            .iter()
            .map(|&Claim { name, token, .. }| Keyed { name, request: Renew { token, lease } });
        self.router.send_all(claims.collect(), by).await
    }

    pub(super) async fn invalidate(
        &self,
        names: &[Name<'_>],
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<()>> {
        let requests = Keyed::each(names, &Invalidate { hold_off });
        let results = self.router.send_all(requests, by).await;
        results.into_iter().map(|result| result.map(drop)).collect()
    }

    pub(super) async fn begin(
        &self,
        names: &[Name<'_>],
        writer: Token,
        fence: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        self.router.send_all(Keyed::each(names, &Begin { writer, fence }), by).await
    }

    pub(super) async fn end(
        &self,
        ends: Vec<End<'_>>,
        writer: Token,
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Ended>> {
        let ends = ends.into_iter().map(|End { name, value }| Keyed {
            name,
            request: crate::store::End { writer, hold_off, value },
        });
        self.router.send_all(ends.collect(), by).await
    }
}
