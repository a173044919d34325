//! What processes do, recorded.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::aging::{of_member, of_row};
use super::dice::Dice;
use super::functions::{
    by_key, by_tag, is_tagged, locked_member, locked_row, locked_rows, member, row, row_key, rows,
    several, several_unfenced,
};
use super::history::{Loss, Read, Time, Write};
use super::manner::{MANNERS, Manner};
use super::world::{FENCE, Failed, ROWS, Trace, World, keys, update};
use crate::CallExt as _;
use crate::store::Name;

/// When a future is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Never,
    /// When it has begun to wait for so many times.
    Waiting(u32),
    /// When it is woken for the time after, and before it knows.
    Woken(u32),
}

/// Something that a process does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) process: usize,
    pub(super) row: u64,
    pub(super) manner: Manner,
    pub(super) cut: Cut,
}

impl Operation {
    /// Any operation; most reads are made in the `usual` manner.
    pub(super) fn draw(dice: &Dice, processes: usize, rows: u64, usual: Manner) -> Self {
        let waits = u32::try_from(dice.below(8)).unwrap_or_default();
        let cuts = [(80, Cut::Never), (10, Cut::Waiting(1 + waits)), (10, Cut::Woken(1 + waits))];
        let (manner, cut) = (dice.pick(&MANNERS), dice.pick(&cuts));
        // An entry must live for a while before its age matters.
        let quiet = usual != Manner::Read && dice.percent(70);
        let manner = if quiet || manner == Manner::Read { usual } else { manner };
        // Dropped between its commit and its invalidation, a write by hand has not invalidated anything.
        let by_hand = matches!(manner, Manner::ByHand | Manner::ByPattern);
        Self {
            process: dice.index(processes),
            row: dice.below(rows),
            manner,
            cut: if by_hand { Cut::Never } else { cut },
        }
    }

    /// Does it; whether it was done to its end.
    pub(super) async fn run(self, world: World) -> bool {
        match self.manner {
            Manner::Read
            | Manner::Locked
            | Manner::Revalidated
            | Manner::Forgiven
            | Manner::Hurried
            | Manner::Early
            | Manner::Refresh => self.read(&world).await,
            Manner::Batch | Manner::LockedBatch | Manner::RefreshBatch => {
                self.read_all(&world).await
            }
            Manner::Outside | Manner::Lost => {
                self.intrude(&world);
                true
            }
            _ => Box::pin(self.write(&world)).await,
        }
    }

    async fn read(self, world: &World) -> bool {
        let Self { process, row: id, manner, cut } = self;
        let db = &world.db;
        let start = db.now();
        let call = async {
            match manner {
                Manner::Locked if is_tagged(id) => locked_member(db, id).await,
                Manner::Refresh if is_tagged(id) => member(db, id).refresh().await,
                Manner::Revalidated if is_tagged(id) => of_member::revalidated(db, id).await,
                Manner::Forgiven if is_tagged(id) => of_member::forgiven(db, id).await,
                Manner::Hurried if is_tagged(id) => of_member::hurried(db, id).await,
                Manner::Early if is_tagged(id) => of_member::early(db, id).await,
                _ if is_tagged(id) => member(db, id).await,
                Manner::Revalidated => of_row::revalidated(db, id).await,
                Manner::Forgiven => of_row::forgiven(db, id).await,
                Manner::Hurried => of_row::hurried(db, id).await,
                Manner::Early => of_row::early(db, id).await,
                Manner::Locked => locked_row(db, id).await,
                Manner::Refresh => row(db, id).refresh().await,
                _ => row(db, id).await,
            }
        };
        let result = until(cut, world.processes[process].scope(call)).await;
        if let Some(Ok(version)) = result {
            let (end, manner) = (db.now(), format!("{manner:?}"));
            let read = Read { process, row: id, manner, start, end, version };
            world.history.lock().unwrap().reads.push(read);
        }
        result.is_some()
    }

    async fn read_all(self, world: &World) -> bool {
        let Self { process, row: id, manner, cut } = self;
        let db = &world.db;
        let ids = all_from(id);
        let start = db.now();
        let call = async {
            match manner {
                Manner::LockedBatch => locked_rows(db, &ids).await,
                Manner::RefreshBatch => rows(db, &ids).refresh().await,
                _ => rows(db, &ids).await,
            }
        };
        let result = until(cut, world.processes[process].scope(call)).await;
        if let Some(Ok(versions)) = &result {
            let end = db.now();
            let read = |row| {
                let (manner, version) = (format!("{manner:?}"), versions[&row]);
                Read { process, row, manner, start, end, version }
            };
            world.history.lock().unwrap().reads.extend(ids.into_iter().map(read));
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
                if is_tagged(id) {
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
                Manner::Failing => of!(failing),
                Manner::InDoubt => of!(in_doubt),
                Manner::Several => several(db, &all_from(id), trace).await,
                Manner::SeveralUnfenced => several_unfenced(db, &all_from(id), trace).await,
                Manner::InTransaction => {
                    let transaction = async {
                        of!(in_transaction)?;
                        db.pause(db.pace().write).await;
                        trace.commits(db, id, db.bump(id));
                        Ok(())
                    };
                    cache.after_commit(transaction).await
                }
                Manner::ByHand => {
                    update(db, id, trace).await;
                    let invalidated = if is_tagged(id) {
                        cache.invalidate_tag("members").await
                    } else {
                        cache.invalidate(&row_key(&id)).await
                    };
                    invalidated.map_err(Failed::from)
                }
                Manner::ByPattern => {
                    update(db, id, trace).await;
                    let prefix = if is_tagged(id) { "~tag:group" } else { "row" };
                    let pattern = format!("{prefix}:[{id}]*");
                    cache.invalidate_matching(&pattern).await.map(drop).map_err(Failed::from)
                }
                _ => of!(write),
            }
        };
        let returned = until(cut, cache.scope(call)).await.is_some();
        let told = trace.told();
        let fenced = match manner {
            // Refused where its fence is not acknowledged.
            Manner::Strict | Manner::StoringStrictly => true,
            Manner::Unfenced | Manner::SeveralUnfenced | Manner::ByHand | Manner::ByPattern => {
                false
            }
            // Stamps are captured meanwhile: an invalidation in the place of a fence may have been delivered by then.
            Manner::Storing if is_tagged(id) => false,
            _ => told.nothing_journalled == Some(true),
        };
        let end = returned.then(|| db.now());
        let write = |(row, committed): (&u64, &(Time, u64))| Write {
            process,
            row: *row,
            manner: format!("{manner:?}"),
            start,
            committed: Some(*committed),
            returned: end,
            acknowledged: None,
            fenced: fenced && told.took < FENCE / 2,
        };
        let mut writes: Vec<Write> = told.committed.iter().map(write).collect();
        let (db, history) = (db.clone(), Arc::clone(&world.history));
        let mut acknowledge = move |returned: bool| {
            let acknowledged = returned.then(|| db.now());
            for write in &mut writes {
                write.acknowledged = acknowledged;
            }
            history.lock().unwrap().writes.append(&mut writes);
        };
        if !returned || cache.stats().journal_depth == 0 {
            acknowledge(returned);
            return returned;
        }
        let cache = cache.clone();
        world.pending.lock().unwrap().spawn(async move {
            cache.flush(Duration::from_secs(200)).await.unwrap();
            acknowledge(true);
        });
        returned
    }

    fn intrude(self, world: &World) {
        let Self { row, manner, .. } = self;
        let (db, start) = (&world.db, world.db.now());
        let committed = (manner == Manner::Outside).then(|| db.bump(row));
        let committed = committed.map(|version| (db.now(), version));
        let keys = keys(row);
        let which = usize::try_from(start).unwrap() % keys.len();
        world.memory.lose(Name::new(&keys[which]));
        let mut history = world.history.lock().unwrap();
        history.losses.push(Loss { row: Some(row), start, end: db.now() });
        history.writes.push(Write {
            process: usize::MAX,
            row,
            manner: format!("{manner:?}"),
            start,
            committed,
            returned: Some(db.now()),
            acknowledged: Some(db.now()),
            fenced: false,
        });
    }
}

/// All rows, beginning with one.
fn all_from(row: u64) -> Vec<u64> {
    (row..ROWS).chain(0..row).collect()
}

/// Runs a future to its end, or drops it before.
pub(super) async fn until<F: Future>(cut: Cut, future: F) -> Option<F::Output> {
    let mut waits = 0;
    let mut future = pin!(future);
    let end = poll_fn(|cx| {
        if cut == Cut::Woken(waits) {
            return Poll::Ready(None);
        }
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => {
                waits += 1;
                if cut == Cut::Waiting(waits) { Poll::Ready(None) } else { Poll::Pending }
            }
        }
    });
    end.await
}
