//! The two ways to make redelivery harmless, with sinks that commit and fail all the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use cache_runtime::queue::Position;
use cache_runtime::{Batch, write_behind};
use serde::{Deserialize, Serialize};

use crate::stage::{Running, Stage, View, on_both_stores, settled};

on_both_stores! {
    increments_count_once_with_the_position_beside_them
    whole_values_never_go_backwards
    without_either_a_redelivery_counts_twice
}

/// A database: one transaction at a time, all or nothing.
#[derive(Clone, Debug, Default)]
struct Db(Arc<Mutex<Tables>>);

#[derive(Debug, Default)]
struct Tables {
    views: BTreeMap<String, u64>,
    names: BTreeMap<u64, (String, i64)>,
    /// As text, as a database would have it.
    progress: BTreeMap<u32, String>,
    commits: usize,
}

impl Db {
    /// Commits, and fails all the same if something was changed: every batch comes at least twice.
    fn transaction(&self, work: impl FnOnce(&mut Tables) -> bool) -> Result<(), String> {
        let mut tables = self.0.lock().unwrap();
        tables.commits += 1;
        if work(&mut tables) { Err("lost after the commit".to_owned()) } else { Ok(()) }
    }
}

#[write_behind(
    queue = "views",
    key = "<view.page>",
    merge = View::add,
    batch = 7,
    linger = "1ms",
    partitions = 3
)]
async fn save_views(db: &Db, views: Batch<View>) -> Result<(), String> {
    db.transaction(|tables| {
        let partition = views.partition();
        let stored = tables.progress.get(&partition).map(|text| text.parse::<Position>().unwrap());
        let views = views.after(stored);
        let (position, changed) = (views.position(), !views.is_empty());
        for view in views.into_items() {
            *tables.views.entry(view.page).or_default() += view.count;
        }
        if let Some(position) = position {
            tables.progress.insert(partition, position.to_string());
        }
        changed
    })
}

async fn increments_count_once_with_the_position_beside_them(_: Stage) {
    let (db, queue) = (Db::default(), save_views_queue());
    let running = Running::start(save_views_worker(&db));
    for number in 0..100 {
        queue.push(View::of(&format!("/{}", number % 5))).await.unwrap();
    }
    settled(&queue).await;
    running.stop().await;
    let tables = db.0.lock().unwrap();
    let counts: Vec<_> = tables.views.values().copied().collect();
    assert_eq!(counts, [20; 5], "after {} commits", tables.commits);
}

#[write_behind(queue = "careless", key = "<view.page>", merge = View::add, linger = "1ms")]
async fn save_carelessly(db: &Db, views: Vec<View>) -> Result<(), String> {
    db.transaction(|tables| {
        for view in views {
            *tables.views.entry(view.page).or_default() += view.count;
        }
        tables.commits < 3
    })
}

/// What the documentation warns of.
async fn without_either_a_redelivery_counts_twice(_: Stage) {
    let (db, queue) = (Db::default(), save_carelessly_queue());
    queue.push(View::of("/")).await.unwrap();
    let running = Running::start(save_carelessly_worker(&db));
    settled(&queue).await;
    running.stop().await;
    assert_eq!(db.0.lock().unwrap().views["/"], 3);
}

#[derive(Serialize, Deserialize)]
struct Rename {
    user: u64,
    name: String,
}

#[write_behind(queue = "names", key = "<rename.user>", merge = none, batch = 3, linger = "1ms")]
async fn save_names(db: &Db, renames: Batch<Rename>) -> Result<(), String> {
    db.transaction(|tables| {
        let mut changed = false;
        for rename in renames {
            let (user, name) = (rename.item.user, rename.item.name);
            // UPDATE .. SET name = $2, version = $3 WHERE id = $1 AND version < $3
            let row = tables.names.entry(user).or_default();
            if row.1 < rename.version {
                *row = (name, rename.version);
                changed = true;
            }
        }
        changed
    })
}

async fn whole_values_never_go_backwards(_: Stage) {
    let (db, queue) = (Db::default(), save_names_queue());
    let running = Running::start(save_names_worker(&db));
    for number in 1..=20 {
        for user in 0..3 {
            queue.push(Rename { user, name: number.to_string() }).await.unwrap();
        }
    }
    settled(&queue).await;
    running.stop().await;
    let names = db.0.lock().unwrap().names.clone();
    assert!(names.values().all(|(name, _)| name == "20"), "{names:?}");
}
