//! Looking at all keys that match a pattern, for operators, no faster than they say.

use redis::Cmd;
use tokio::time::Instant;

use crate::store::redis::RedisStore;
use crate::store::redis::commands::Command;
use crate::store::redis::commands::pieces::Pieces;
use crate::store::redis::commands::scan::SCAN;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::topology::router::Route;
use crate::store::sweeps::{LOOK, Visit, Visited};
use crate::store::{Inspect, Keyed, Name, Now, StoreError, StoreResult, namespace};
use crate::support::budget::Deadline;

impl RedisStore {
    /// Looks at every key that matches the glob `pattern`, and has `visit` told of them step by
    /// step. A key that moves to another node meanwhile may be seen twice, or not at all.
    pub(crate) async fn visit(
        &self,
        pattern: &str,
        request: Inspect,
        visit: &mut Visit<'_>,
    ) -> StoreResult<()> {
        let mut routes = self.router.primaries(Instant::now() + LOOK).await?;
        let mut total = Some(0);
        for route in &mut routes {
            let by = Instant::now() + LOOK;
            let size = route.session(by).await?.size(by).await;
            total = total.zip(size.ok()).map(|(total, size)| total + size);
        }
        let looked = &mut 0;
        for route in &mut routes {
            let result = visit_one(route, pattern, request, (looked, total), visit).await;
            route.note(&result);
            result?;
        }
        Ok(())
    }
}

async fn visit_one(
    route: &mut Route<'_>,
    pattern: &str,
    request: Inspect,
    (looked, of): (&mut u64, Option<u64>),
    visit: &mut Visit<'_>,
) -> StoreResult<()> {
    // One connection from beginning to end: another server does not know this one's cursors.
    let mut session = route.session(Instant::now() + LOOK).await?;
    let mut cursor = 0;
    loop {
        let by = Instant::now() + LOOK;
        let found;
        (cursor, found) = session.scan(cursor, pattern, by).await?;
        let found: Vec<_> =
            found.into_iter().filter(|key| namespace::matches(pattern, key)).collect();
        let keyed = found.iter().map(|key| Keyed { name: Name::new(key), request });
        let mut keyed: Vec<_> = keyed.collect();
        let mut now_ms = 0;
        if let Some(Keyed { name, .. }) = keyed.first() {
            now_ms = Now::send(&mut Keyed { name: *name, request: Now }, &mut session, by).await?;
        }
        let seen = Inspect::send_all(&mut keyed, &mut session, Pieces::new(by)).await;
        let mut keys = Vec::with_capacity(seen.len());
        for (key, seen) in found.into_iter().zip(seen) {
            match seen {
                Ok(Some(seen)) => keys.push((key, seen)),
                // It is on its way to another node.
                Ok(None) | Err(StoreError::Redirected(_)) => {}
                Err(error) => return Err(error),
            }
        }
        *looked += SCAN as u64;
        visit(Visited { keys, now_ms, looked: *looked, of }).await;
        if cursor == 0 {
            return Ok(());
        }
    }
}

impl Session<'_> {
    /// How many keys the server has.
    async fn size(&mut self, by: Deadline) -> StoreResult<u64> {
        let mut size = Cmd::with_capacity(1, 6);
        size.arg("DBSIZE");
        match self.call(&size, by).await? {
            RespValue::Int(size) => u64::try_from(size).map_err(|_| StoreError::Unexpected),
            reply => Err(self.refused(reply)),
        }
    }
}
