//! Removal of all keys that match a pattern, and removal on servers where scripts are not permitted.

use std::time::Duration;

use redis::{Cmd, Pipeline, Value};
use tokio::time::Instant;

use super::RedisStore;
use super::calls::millis;
use super::cluster::Layout;
use super::concurrently::join;
use super::router::{Route, Router};
use super::session::{Session, is_error};
use super::split::split;
use crate::record::{self, Kind, MAGIC};
use crate::store::{Deadline, Name, StoreResult};

/// Keys that a server looks at in one step of a scan.
const SCAN: usize = 512;
/// How long one step may take. The whole takes as long as there are keys.
pub(super) const STEP: Duration = Duration::from_secs(1);

impl RedisStore {
    /// Removes every key that matches the glob `pattern` and is ours, and returns how many there were.
    pub(crate) async fn invalidate_matching(
        &self,
        pattern: &str,
        hold_off: Duration,
        by: Deadline,
    ) -> StoreResult<u64> {
        let before = self.layout(by).await;
        // Removes whatever can be removed, even if not everything can.
        let removed = self.sweep(pattern, hold_off, by).await?;
        let before = before?;
        if before.is_settled() && before == self.layout(by).await? {
            return Ok(removed);
        }
        // A key that moved during the scan may have been seen by neither node. By now it has arrived.
        Ok(removed + self.sweep(pattern, hold_off, by).await?)
    }

    /// Which primary has which keys, according to the primaries themselves.
    async fn layout(&self, by: Deadline) -> StoreResult<Layout> {
        match &self.router {
            Router::Single(_) => Ok(Layout::default()),
            Router::Cluster(cluster) => cluster.layout(by).await,
        }
    }

    async fn sweep(&self, pattern: &str, hold_off: Duration, by: Deadline) -> StoreResult<u64> {
        let mut routes = self.router.primaries(by).await?;
        let mut results = vec![Ok(0); routes.len()];
        let sweeps = routes.iter_mut().zip(&mut results).map(async |(route, result)| {
            *result = self.sweep_one(route, pattern, hold_off, by).await;
            route.ends_with(result);
        });
        join(sweeps).await;
        results.into_iter().sum()
    }

    async fn sweep_one(
        &self,
        route: &mut Route<'_>,
        pattern: &str,
        hold_off: Duration,
        by: Deadline,
    ) -> StoreResult<u64> {
        // One connection from beginning to end: another server does not know this one's cursors.
        let mut session = route.session(by).await?;
        let (mut cursor, mut removed) = (0, 0);
        loop {
            let step = by.min(Instant::now() + STEP);
            let keys;
            (cursor, keys) = session.scan(cursor, pattern, step).await?;
            let names = keys.iter().map(|key| Name::new(key)).collect();
            for was_ours in split!(self, names, step, |to, part| to.remove(part, hold_off, step)) {
                removed += u64::from(was_ours?);
            }
            if cursor == 0 {
                return Ok(removed);
            }
        }
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
        scan.arg("SCAN").arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCAN);
        let reply = match self.call(&scan, deadline).await? {
            Value::Array(reply) => <[Value; 2]>::try_from(reply),
            reply => return Err(self.refused(reply)),
        };
        let Ok([Value::BulkString(cursor), Value::Array(keys)]) = reply else {
            return Err(self.out_of_order());
        };
        let Some(cursor) = str::from_utf8(&cursor).ok().and_then(|cursor| cursor.parse().ok())
        else {
            return Err(self.out_of_order());
        };
        // A key that is not text is not ours.
        let keys = keys.into_iter().filter_map(|key| match key {
            Value::BulkString(key) => String::from_utf8(key).ok(),
            _ => None,
        });
        Ok((cursor, keys.collect()))
    }

    /// Removes records with plain commands. On a server where scripts are not permitted, there can be no fences to
    /// respect.
    pub(super) async fn remove_without_scripts(
        &mut self,
        names: &[&Name<'_>],
        hold_off: Duration,
        deadline: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let mut heads = Pipeline::with_capacity(names.len());
        for name in names {
            heads.cmd("GETRANGE").arg(name.text).arg(0).arg(MAGIC.len() - 1);
        }
        let heads = match self.call_all(&heads, deadline).await {
            Ok(heads) => heads,
            Err(error) => return vec![Err(error); names.len()],
        };
        let ours = heads.into_iter().map(|head| match head {
            Value::BulkString(head) => Ok(head == MAGIC),
            reply if is_error(&reply, "WRONGTYPE") => Ok(false),
            reply => Err(self.refused(reply)),
        });
        let mut ours: Vec<_> = ours.collect();

        let mut removals = Pipeline::new();
        for (name, _) in names.iter().zip(&ours).filter(|(_, is_ours)| **is_ours == Ok(true)) {
            removals.add_command(self.removal(**name, hold_off));
        }
        if !removals.is_empty() {
            let replies = self.call_all(&removals, deadline).await;
            let mut replies = replies.map(Vec::into_iter);
            for is_ours in ours.iter_mut().filter(|is_ours| **is_ours == Ok(true)) {
                match replies.as_mut().map(Iterator::next) {
                    Ok(Some(reply @ Value::ServerError(_))) => *is_ours = Err(self.refused(reply)),
                    Ok(_) => {}
                    Err(error) => *is_ours = Err(error.clone()),
                }
            }
        }
        ours
    }

    fn removal(&self, name: Name<'_>, hold_off: Duration) -> Cmd {
        let mut removal = Cmd::new();
        if hold_off.is_zero() {
            removal.arg("UNLINK").arg(name.text);
        } else {
            let tombstone = record::header(Kind::Tombstone, self.origin(), name.hash);
            removal.arg("SET").arg(name.text).arg(&tombstone).arg("PX").arg(millis(hold_off));
        }
        removal
    }
}
