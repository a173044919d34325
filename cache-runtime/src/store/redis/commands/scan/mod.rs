//! What is done with all keys that match a pattern: they are removed, or looked at.

mod progress;
mod visit;

use std::time::Duration;

use redis::Cmd;
use tokio::time::Instant;

pub(crate) use self::progress::Sweep;
use crate::store::redis::RedisStore;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::topology::cluster::Layout;
use crate::store::redis::topology::router::{Route, Router};
use crate::store::sweeps::STEP;
use crate::store::{Digests, Invalidate, Keyed, Name, StoreResult, namespace};
use crate::support::budget::Deadline;
use crate::support::join::join;

/// Keys that a server looks at in one step of a scan.
const SCAN: usize = 512;

impl RedisStore {
    /// Removes every key that matches the glob `pattern` and is ours, and returns how many there
    /// were: in this attempt and those that the sweep has behind it.
    pub(crate) async fn invalidate_matching(
        &self,
        pattern: &str,
        hold_off: Duration,
        sweep: &Sweep,
        by: Deadline,
    ) -> StoreResult<u64> {
        self.invalidate_where(Where { pattern, keys: None }, hold_off, sweep, by).await
    }

    /// The same for those that are in a set.
    pub(crate) async fn invalidate_listed(
        &self,
        keys: &Digests,
        among: &str,
        hold_off: Duration,
        sweep: &Sweep,
        by: Deadline,
    ) -> StoreResult<u64> {
        let meant = Where { pattern: among, keys: Some(keys) };
        self.invalidate_where(meant, hold_off, sweep, by).await
    }

    async fn invalidate_where(
        &self,
        meant: Where<'_>,
        hold_off: Duration,
        sweep: &Sweep,
        by: Deadline,
    ) -> StoreResult<u64> {
        self.router.hasten_all(by).await;
        let before = if let Some(before) = sweep.before() {
            Ok(before)
        } else {
            let before = self.layout(by).await;
            sweep.begin(before.clone().ok());
            before
        };
        // Removes whatever can be removed, even if not everything can.
        let swept = self.sweep(meant, hold_off, sweep, by).await;
        if before.is_err() {
            // Nobody knows what moves from here on.
            sweep.begin(None);
        }
        swept?;
        let before = before?;
        if before.is_settled() && before == self.layout(by).await? {
            return Ok(sweep.removed());
        }
        // A key that moved during the scan may have been seen by neither node. By now it has
        // arrived. What moves while this goes on is not seen either if it is interrupted, so then
        // all is done again.
        sweep.begin(None);
        let swept = self.sweep(meant, hold_off, sweep, by).await;
        sweep.begin(None);
        swept?;
        Ok(sweep.removed())
    }

    /// Which primary has which keys, according to the primaries themselves.
    async fn layout(&self, by: Deadline) -> StoreResult<Layout> {
        match &self.router {
            Router::Single(_) => Ok(Layout::default()),
            Router::Cluster(cluster) => cluster.layout(by).await,
        }
    }

    async fn sweep(
        &self,
        meant: Where<'_>,
        hold_off: Duration,
        sweep: &Sweep,
        by: Deadline,
    ) -> StoreResult<()> {
        let mut routes = self.router.primaries(by).await?;
        let mut results = vec![Ok(()); routes.len()];
        let sweeps = routes.iter_mut().zip(&mut results).map(async |(route, result)| {
            *result = self.sweep_one(route, meant, hold_off, sweep, by).await;
            route.note(result);
        });
        join(sweeps).await;
        results.into_iter().collect()
    }

    async fn sweep_one(
        &self,
        route: &mut Route<'_>,
        meant: Where<'_>,
        hold_off: Duration,
        sweep: &Sweep,
        by: Deadline,
    ) -> StoreResult<()> {
        // One connection from beginning to end of an attempt: another server does not know this
        // one's cursors.
        let mut session = route.session(by).await?;
        let origin = session.origin();
        let Some(mut cursor) = sweep.cursor(origin) else { return Ok(()) };
        loop {
            let step = by.min(Instant::now() + STEP);
            let keys;
            (cursor, keys) = session.scan(cursor, meant.pattern, step).await?;
            let ours = keys.iter().filter(|key| meant.contains(key));
            let request = Invalidate { hold_off };
            let keyed = ours.map(|key| Keyed { name: Name::new(key), request }).collect();
            let mut removed = 0;
            for was_ours in self.router.scatter(keyed, step, false).await {
                removed += u64::from(was_ours?);
            }
            sweep.note(origin, cursor, SCAN as u64, removed);
            if cursor == 0 {
                return Ok(());
            }
        }
    }
}

/// Which keys of a server are meant.
#[derive(Clone, Copy, Debug)]
struct Where<'a> {
    /// Those that match this glob,
    pattern: &'a str,
    /// and of these only those that are in this set.
    keys: Option<&'a Digests>,
}

impl Where<'_> {
    fn contains(&self, key: &str) -> bool {
        namespace::matches(self.pattern, key) && self.keys.is_none_or(|keys| keys.contains(key))
    }
}

impl Session<'_> {
    async fn scan(
        &mut self,
        cursor: u64,
        pattern: &str,
        deadline: Deadline,
    ) -> StoreResult<(u64, Vec<String>)> {
        let mut scan = Cmd::new();
        scan.arg("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(&*namespace::scanned(pattern))
            .arg("COUNT")
            .arg(SCAN);
        let reply = match self.call(&scan, deadline).await? {
            RespValue::Array(reply) => <[RespValue; 2]>::try_from(reply),
            reply => return Err(self.refused(reply)),
        };
        let Ok([RespValue::BulkString(cursor), RespValue::Array(keys)]) = reply else {
            return Err(self.out_of_order());
        };
        let Some(cursor) = str::from_utf8(&cursor).ok().and_then(|cursor| cursor.parse().ok())
        else {
            return Err(self.out_of_order());
        };
        // A key that is not text is not ours.
        let keys = keys.into_iter().filter_map(|key| match key {
            RespValue::BulkString(key) => String::from_utf8(key.into()).ok(),
            _ => None,
        });
        Ok((cursor, keys.collect()))
    }
}
