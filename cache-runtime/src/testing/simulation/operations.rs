//! What processes do, recorded.

use std::sync::Arc;
use std::time::Duration;

use cache_testing::dice::Dice;
use cache_testing::history::{Read, Time, Write};

use crate::testing::simulation::aging::{
    newer_member_revalidated, newer_row_revalidated, of_member, of_row,
};
use crate::testing::simulation::aliases::{alias_key, find};
use crate::testing::simulation::cut::{Cut, until};
use crate::testing::simulation::functions::{
    any_key, by_key, by_tag, by_told_tag, is_tagged, locked_member, locked_row, locked_rows,
    member, newer_member, newer_row, row, row_key, rows, several, several_unfenced, told_tag,
};
use crate::testing::simulation::manner::{MANNERS, Manner};
use crate::testing::simulation::world::{FENCE, Failed, ROWS, Trace, World, statement, update};
use crate::{CallExt as _, Tag};

/// Something that a process does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) process: usize,
    pub(super) row: u64,
    pub(super) manner: Manner,
    pub(super) cut: Cut,
}

impl Operation {
    /// Any operation; most reads are made in the `usual` manner. Writes are dropped only if there
    /// is no `patience`.
    pub(super) fn draw(
        dice: &Dice,
        processes: usize,
        rows: u64,
        usual: Manner,
        patience: bool,
    ) -> Self {
        let waits = u32::try_from(dice.below(8)).unwrap_or_default();
        let manner = dice.pick(&MANNERS);
        // An entry must live for a while before its age matters.
        let quiet = usual != Manner::Read && dice.percent(70);
        let manner = if quiet || manner == Manner::Read { usual } else { manner };
        // Dropped between its commit and its invalidation, a write by hand has not invalidated
        // anything.
        let by_hand = matches!(manner, Manner::ByHand | Manner::ByPattern);
        let (waiting, woken) = (Cut::Waiting(1 + waits), Cut::Woken(1 + waits));
        let cut = if manner.reads() {
            dice.pick(&[(80, Cut::Never), (10, waiting), (10, woken)])
        } else if by_hand || patience {
            Cut::Never
        } else {
            // Mostly by a timeout, which knows nothing of what the database is at.
            let after = Cut::After(1 + dice.below(40));
            dice.pick(&[(40, Cut::Never), (40, after), (10, waiting), (10, woken)])
        };
        let (process, row) = (dice.index(processes), dice.below(rows));
        Self { process, row, manner, cut }
    }

    /// Does it; whether it was done to its end.
    pub(super) async fn run(self, world: World) -> bool {
        match self.manner {
            Manner::Get => self.get(&world).await,
            Manner::Batch | Manner::LockedBatch | Manner::RefreshBatch => {
                self.read_all(&world).await
            }
            manner if manner.reads() => self.read(&world).await,
            Manner::Outside | Manner::Lost => {
                self.intrude(&world);
                true
            }
            Manner::ReadOnly => {
                world.refuse_writes(self.process, 20 + 40 * self.row);
                true
            }
            _ => {
                let ended = Box::pin(self.write(&world)).await;
                if !ended {
                    // Its caller looks what has become of the row, while the database may still be
                    // at it.
                    Self { manner: Manner::Read, cut: Cut::Never, ..self }.read(&world).await;
                }
                ended
            }
        }
    }

    async fn read(self, world: &World) -> bool {
        let Self { process, row: id, manner, cut } = self;
        let db = &world.db;
        let start = db.now();
        if start.is_multiple_of(3) {
            world.forget_tags(process, id);
        }
        let stale_before = self.stale_served(world);
        let call = async {
            match manner {
                Manner::Read if world.has_aliases => find(db, id).await,
                Manner::Locked if is_tagged(id) => {
                    locked_member(db, id).await.map_err(Failed::from)
                }
                Manner::Refresh if is_tagged(id) => member(db, id).refresh().await,
                Manner::Revalidated if is_tagged(id) => of_member::revalidated(db, id).await,
                Manner::Lagging if is_tagged(id) => of_member::lagging(db, id).await,
                Manner::Forgiven if is_tagged(id) => of_member::forgiven(db, id).await,
                Manner::Hurried if is_tagged(id) => of_member::hurried(db, id).await,
                Manner::Early if is_tagged(id) => of_member::early(db, id).await,
                Manner::Newer if is_tagged(id) => newer_member(db, id).await,
                Manner::NewerRevalidated if is_tagged(id) => newer_member_revalidated(db, id).await,
                _ if is_tagged(id) => member(db, id).await,
                Manner::Revalidated => of_row::revalidated(db, id).await,
                Manner::Lagging => of_row::lagging(db, id).await,
                Manner::Forgiven => of_row::forgiven(db, id).await,
                Manner::Hurried => of_row::hurried(db, id).await,
                Manner::Early => of_row::early(db, id).await,
                Manner::Newer => newer_row(db, id).await,
                Manner::NewerRevalidated => newer_row_revalidated(db, id).await,
                Manner::Locked => locked_row(db, id).await.map_err(Failed::from),
                Manner::Refresh => row(db, id).refresh().await,
                _ => row(db, id).await,
            }
        };
        let result = until(cut, world.processes[process].scope(call)).await;
        match &result {
            // It may lag behind writes that have left a stale value, if it counts as stale.
            Some(Ok(_)) if world.keeps_stale(id) && self.stale_served(world) != stale_before => {}
            Some(Ok(version)) => self.has_read(world, start, *version),
            Some(Err(Failed { rows, is_batch })) => {
                let is_own = !*is_batch && *rows == [id];
                assert!(is_own, "ANOTHER CALL'S ERROR: {self:?} failed with {result:?}");
            }
            None => {}
        }
        result.is_some()
    }

    /// How many calls of the process have been given stale values, if this may be one of those.
    fn stale_served(self, world: &World) -> u64 {
        if !self.manner.may_lag() {
            return 0;
        }
        let stats = world.processes[self.process].stats();
        stats.functions.iter().map(|function| function.outcomes.stale).sum()
    }

    /// By hand, without a body.
    async fn get(self, world: &World) -> bool {
        let start = world.db.now();
        let by_alias = world.has_aliases && start.is_multiple_of(2);
        let key = if by_alias { alias_key(self.row) } else { any_key(self.row) };
        let found = until(self.cut, world.processes[self.process].get(&key)).await;
        if let Some(Ok(Some(version))) = found {
            self.has_read(world, start, version);
        }
        found.is_some()
    }

    fn has_read(self, world: &World, start: Time, version: u64) {
        let Self { process, row, manner, .. } = self;
        let (end, manner) = (world.db.now(), format!("{manner:?}"));
        let read = Read { process, row, manner, start, end, version };
        world.history.lock().unwrap().reads.push(read);
    }

    async fn read_all(self, world: &World) -> bool {
        let Self { process, row: id, manner, cut } = self;
        let db = &world.db;
        let ids = all_from(id);
        let start = db.now();
        let call = async {
            match manner {
                Manner::LockedBatch => locked_rows(db, &ids).await.map_err(Failed::from),
                Manner::RefreshBatch => rows(db, &ids).refresh().await,
                _ => rows(db, &ids).await,
            }
        };
        let result = until(cut, world.processes[process].scope(call)).await;
        if let Some(Err(Failed { rows, is_batch })) = &result {
            let is_own = *is_batch && rows.iter().all(|row| ids.contains(row));
            assert!(is_own, "ANOTHER CALL'S ERROR: {self:?} failed with {result:?}");
        }
        if let Some(Ok(versions)) = &result {
            for row in ids {
                Self { row, ..self }.has_read(world, start, versions[&row]);
            }
        }
        result.is_some()
    }

    async fn write(self, world: &World) -> bool {
        let Self { process, row: id, manner, cut } = self;
        let (db, cache) = (&world.db, &world.processes[process]);
        let trace = &Trace::of(cache);
        let start = db.now();
        // Of the row's key or of its tag.
        macro_rules! of {
            ($write:ident) => {
                if is_tagged(id) && process % 2 == 1 {
                    by_told_tag::$write(db, id, trace).await
                } else if is_tagged(id) {
                    by_tag::$write(db, id, trace).await
                } else {
                    by_key::$write(db, id, trace).await
                }
            };
        }
        let call = async {
            match manner {
                Manner::Strict => of!(strictly),
                Manner::Storing => of!(storing).map(drop),
                Manner::StoringStrictly => of!(storing_strictly).map(drop),
                Manner::Unfenced => of!(unfenced),
                Manner::KeepStale => {
                    world.will_keep_stale(id);
                    of!(keeping_stale)
                }
                Manner::Failing => of!(failing),
                Manner::InDoubt => of!(in_doubt),
                Manner::Several => several(db, &all_from(id), trace).await,
                Manner::SeveralUnfenced => several_unfenced(db, &all_from(id), trace).await,
                Manner::InTransaction => {
                    let transaction = async {
                        of!(in_transaction)?;
                        statement(db, id, trace).await.map(drop).map_err(|_| Failed::default())
                    };
                    cache.after_commit(transaction).await
                }
                Manner::ByHand => {
                    update(db, id, trace).await;
                    let invalidated = if is_tagged(id) {
                        let tag = if process % 2 == 1 { told_tag() } else { Tag::from("members") };
                        cache.invalidate_tag(tag).await
                    } else {
                        cache.invalidate(&row_key(&id)).await
                    };
                    invalidated.map_err(Failed::from)
                }
                Manner::ByPattern => {
                    update(db, id, trace).await;
                    let pattern = match (is_tagged(id), process % 2) {
                        (true, 1) => "~tag:[t]*".to_owned(),
                        (true, _) => format!("~tag:group:[{id}]*"),
                        (false, _) => format!("row:[{id}]*"),
                    };
                    cache.invalidate_matching(&pattern).await.map(drop).map_err(Failed::from)
                }
                _ => of!(write),
            }
        };
        let ended = until(cut, cache.scope(call)).await.is_some();
        // Its caller does not know when it is committed.
        let returned = ended && manner != Manner::InDoubt;
        let recorder = Recorder { process, id, manner, start, trace: trace.clone() };
        if !returned {
            let world = world.clone();
            let pending = Arc::clone(&world.pending);
            pending.lock().unwrap().spawn(async move {
                recorder.trace.ended().await;
                recorder.record(&world, None, None);
            });
            return ended;
        }
        let (end, cache) = (Some(db.now()), cache.clone());
        if cache.stats().journal_depth == 0 {
            recorder.record(world, end, Some(db.now()));
            return true;
        }
        let world = world.clone();
        let pending = Arc::clone(&world.pending);
        pending.lock().unwrap().spawn(async move {
            cache.flush(Duration::from_secs(200)).await.unwrap();
            recorder.record(&world, end, Some(world.db.now()));
        });
        true
    }
}

/// What a write that has ended is recorded by.
struct Recorder {
    process: usize,
    id: u64,
    manner: Manner,
    start: Time,
    trace: Trace,
}

impl Recorder {
    /// Adds what was committed to the history.
    fn record(&self, world: &World, returned: Option<Time>, acknowledged: Option<Time>) {
        let Self { process, id, manner, start, ref trace } = *self;
        let told = trace.told();
        let fenced = match manner {
            // Refused where its fence is not acknowledged.
            Manner::Strict | Manner::StoringStrictly => true,
            Manner::Unfenced
            | Manner::SeveralUnfenced
            | Manner::ByHand
            | Manner::ByPattern
            | Manner::KeepStale => false,
            // Stamps are captured meanwhile: an invalidation in the place of a fence may have been
            // delivered by then.
            Manner::Storing if is_tagged(id) => false,
            _ => told.nothing_journalled == Some(true),
        };
        let write = |(row, committed): (&u64, &(Time, u64))| Write {
            process,
            row: *row,
            manner: format!("{manner:?}"),
            start,
            committed: Some(*committed),
            returned,
            acknowledged,
            fenced: fenced && told.took < FENCE / 2,
        };
        world.history.lock().unwrap().writes.extend(told.committed.iter().map(write));
    }
}

/// All rows, beginning with one.
fn all_from(row: u64) -> Vec<u64> {
    (row..ROWS).chain(0..row).collect()
}
