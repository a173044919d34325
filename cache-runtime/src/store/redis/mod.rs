//! placeholder
use std::time::Duration;

use bytes::Bytes;

use super::{Acquired, Deadline, Ended, Fill, Name, StoreResult};
use crate::error::Error;
use crate::token::Token;
#[derive(Debug)]
pub(crate) struct RedisStore;
#[allow(unused)]
impl RedisStore {
    pub(crate) fn connect(url: &str) -> Result<Self, Error> {
        todo!()
    }
    pub(crate) fn distrust(&self) {}
    pub(crate) async fn get(&self, name: Name<'_>, by: Deadline) -> StoreResult<Option<Bytes>> {
        todo!()
    }
    pub(crate) async fn acquire(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        reject: Option<Token>,
        by: Deadline,
    ) -> StoreResult<Acquired> {
        todo!()
    }
    pub(crate) async fn fill(
        &self,
        name: Name<'_>,
        token: Token,
        fill: Fill,
        by: Deadline,
    ) -> StoreResult<bool> {
        todo!()
    }
    pub(crate) async fn refresh(
        &self,
        name: Name<'_>,
        token: Token,
        seen: Token,
        fill: Fill,
        by: Deadline,
    ) -> StoreResult<bool> {
        todo!()
    }
    pub(crate) async fn release(
        &self,
        name: Name<'_>,
        token: Token,
        by: Deadline,
    ) -> StoreResult<bool> {
        todo!()
    }
    pub(crate) async fn renew(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        by: Deadline,
    ) -> StoreResult<bool> {
        todo!()
    }
    pub(crate) async fn invalidate(
        &self,
        names: &[Name<'_>],
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<()>> {
        todo!()
    }
    pub(crate) async fn begin(
        &self,
        names: &[Name<'_>],
        writer: Token,
        fence: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        todo!()
    }
    pub(crate) async fn end(
        &self,
        names: &[Name<'_>],
        writer: Token,
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Ended>> {
        todo!()
    }
    pub(crate) async fn end_with(
        &self,
        name: Name<'_>,
        writer: Token,
        fill: Fill,
        by: Deadline,
    ) -> StoreResult<Ended> {
        todo!()
    }
    pub(crate) async fn invalidate_matching(
        &self,
        pattern: &str,
        by: Deadline,
    ) -> StoreResult<u64> {
        todo!()
    }
}
