//! Removal by plain commands, for a server that runs no scripts.
//!
//! A script looks at a record and replaces it in one step. Here these are two commands, and other
//! clients, for which scripts may run, can come in between:
//!
//! | the look finds | what is done | why nothing older than the write is stored afterwards |
//! |---|---|---|
//! | nothing | nothing; with a hold-off the tombstone, provided that nothing has come meanwhile | a lease that is taken later loads later |
//! | a value, a lease, a tombstone, a damaged record | it is removed, and so is what has come in its place meanwhile | no lease is left that could be filled |
//! | a fence of several writers | nothing | readers go around it, and of writers that overlapped none stores its value |
//! | the fence of nobody but the writer that ends | it is lifted | as in `end.lua` |
//! | the fence of one other writer | nothing, and that is not acknowledged: the invalidation waits in the journal | this writer may store its value, which can be older |
//! | somebody else's data | nothing | |
//!
//! One thing is lost: a fence that another client puts up between look and removal is lifted. Its
//! write then is as good as one without a fence, whose own invalidation still comes at its end.

use std::time::Duration;

use redis::{Cmd, Pipeline};

use crate::record::token::Token;
use crate::record::{self, GLANCE, Glance, Kind};
use crate::store::redis::commands::encode::millis;
use crate::store::redis::connection::refusal::is_error;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::script::supported::Obstacle;
use crate::store::{Name, StoreError, StoreResult};
use crate::support::budget::Deadline;

/// How often a key is looked at that is taken whenever a tombstone is to be put there.
const LOOKS: usize = 4;

/// What has become of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Removed {
    /// It has nothing of ours, or the tombstone.
    Gone,
    /// It has a fence of several writers, which lets nothing be stored.
    Fenced,
    /// It has somebody else's data.
    Foreign,
}

/// A key whose record is to go.
#[derive(Clone, Debug)]
pub(super) struct Removal<'a> {
    pub(super) name: Name<'a>,
    /// Whose fence is to go, too.
    writer: Option<Token>,
    hold_off: Duration,
    /// None: it has to be looked at again.
    result: Option<StoreResult<Removed>>,
}

impl<'a> Removal<'a> {
    pub(super) fn new(name: Name<'a>, writer: Option<Token>, hold_off: Duration) -> Self {
        Self { name, writer, hold_off, result: None }
    }
}

/// What is sent for a key after the look.
enum Step {
    Nothing(Removed),
    Remove,
    /// A tombstone, where still nothing is.
    Occupy,
}

impl Session<'_> {
    /// Removes records, also the fence of the writer, but no other. One result for each.
    pub(super) async fn remove_without_scripts(
        &mut self,
        removals: &[Removal<'_>],
        deadline: Deadline,
    ) -> Vec<StoreResult<Removed>> {
        let mut all = removals.to_vec();
        for _ in 0..LOOKS {
            let open = all.iter_mut().filter(|removal| removal.result.is_none()).collect();
            self.remove_round(open, deadline).await;
        }
        let ends =
            all.into_iter().map(|removal| removal.result.unwrap_or(Err(StoreError::TimedOut)));
        ends.collect()
    }

    /// One look at each key, and what follows from it.
    async fn remove_round(&mut self, mut open: Vec<&mut Removal<'_>>, deadline: Deadline) {
        if open.is_empty() {
            return;
        }
        let mut looks = Pipeline::with_capacity(open.len());
        for removal in &open {
            looks.cmd("GETRANGE").arg(removal.name.text).arg(0).arg(GLANCE - 1);
        }
        let found = match self.call(&looks, deadline).await {
            Ok(found) => found,
            Err(error) => {
                return open.iter_mut().for_each(|it| it.result = Some(Err(error.clone())));
            }
        };
        let mut steps = Pipeline::new();
        let mut taken = Vec::new();
        for (removal, found) in open.into_iter().zip(found) {
            match self.step(found, removal) {
                Ok(Step::Nothing(removed)) => removal.result = Some(Ok(removed)),
                Ok(step) => {
                    steps.add_command(self.removal(removal, &step));
                    taken.push(removal);
                }
                Err(error) => removal.result = Some(Err(error)),
            }
        }
        if taken.is_empty() {
            return;
        }
        match self.call(&steps, deadline).await {
            Ok(replies) => {
                for (removal, reply) in taken.into_iter().zip(replies) {
                    removal.result = match reply {
                        RespValue::Nil => None,
                        RespValue::ServerError(_) => Some(Err(self.refused(reply))),
                        _ => Some(Ok(Removed::Gone)),
                    };
                }
            }
            Err(error) => taken.into_iter().for_each(|it| it.result = Some(Err(error.clone()))),
        }
    }

    fn step(&self, found: RespValue, removal: &Removal<'_>) -> StoreResult<Step> {
        let Removal { writer, hold_off, .. } = *removal;
        let head = match found {
            RespValue::BulkString(head) => head,
            reply if is_error(&reply, "WRONGTYPE") => return Ok(Step::Nothing(Removed::Foreign)),
            reply => return Err(self.refused(reply)),
        };
        if head.is_empty() {
            // An empty string is as good as nothing, also if it is somebody else's.
            return Ok(if hold_off.is_zero() {
                Step::Nothing(Removed::Gone)
            } else {
                Step::Occupy
            });
        }
        match record::glance(&head) {
            Glance::Foreign => Ok(Step::Nothing(Removed::Foreign)),
            Glance::Fence { alone, .. } if alone.is_some() && alone == writer => Ok(Step::Remove),
            Glance::Fence { dirty: true, .. } => Ok(Step::Nothing(Removed::Fenced)),
            Glance::Fence { dirty: false, .. } => {
                Err(self.obstacle().map_or(StoreError::Unexpected, Obstacle::refusal))
            }
            Glance::Ours => Ok(Step::Remove),
        }
    }

    fn removal(&self, &Removal { name, hold_off, .. }: &Removal<'_>, step: &Step) -> Cmd {
        let mut removal = Cmd::new();
        if hold_off.is_zero() {
            removal.arg("UNLINK").arg(name.text);
            return removal;
        }
        let tombstone = record::header(Kind::Tombstone, self.origin(), name.hash);
        removal.arg("SET").arg(name.text).arg(&tombstone).arg("PX").arg(millis(hold_off));
        if matches!(step, Step::Occupy) {
            removal.arg("NX");
        }
        removal
    }
}
