//! Removal of every key that matches a pattern, and removal where scripts may not run.

use std::time::Duration;

use redis::{Cmd, Pipeline, Value};
use tokio::time::Instant;

use super::commands::millis;
use super::session::{Session, is_error};
use crate::record::{self, Kind, MAGIC};
use crate::store::{Deadline, Name, StoreResult};

/// Keys that a server looks at in one step of a scan.
const SCAN: usize = 512;
/// How long one step may take. The whole takes as long as there are keys.
const STEP: Duration = Duration::from_secs(1);

impl Session<'_> {
    /// Removes every key that matches the glob `pattern` and is ours; how many those were.
    pub(super) async fn invalidate_matching(
        &mut self,
        pattern: &str,
        hold_off: Duration,
        deadline: Deadline,
    ) -> StoreResult<u64> {
        let (mut cursor, mut removed) = (0, 0);
        loop {
            let step = deadline.min(Instant::now() + STEP);
            let keys;
            (cursor, keys) = self.scan(cursor, pattern, step).await?;
            let names: Vec<_> = keys.iter().map(|key| Name::new(key)).collect();
            for was_ours in self.remove(&names, hold_off, step).await {
                removed += u64::from(was_ours?);
            }
            if cursor == 0 {
                return Ok(removed);
            }
        }
    }

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
        // A key that is not text is none of ours.
        let keys = keys.into_iter().filter_map(|key| match key {
            Value::BulkString(key) => String::from_utf8(key).ok(),
            _ => None,
        });
        Ok((cursor, keys.collect()))
    }

    /// Removes records with plain commands. There can be no fences to heed on a server where scripts may not run.
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
