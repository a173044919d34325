//! The sinks of the guide `writing_behind`, over a database. Whenever a commit has changed
//! something they fail all the same, so every batch comes twice.

use cache_fixtures::stores::on_both_stores;
use cache_runtime::queue::Position;
use cache_runtime::{Batch, write_behind};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};

use crate::attribute::fixture::{Fixture, Running, settled};

on_both_stores! {
    views_are_counted_exactly
    profiles_are_those_that_were_pushed_last
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// After the commit.
fn trouble_if(changed: bool) -> Result<(), BoxError> {
    if changed { Err("lost after the commit".into()) } else { Ok(()) }
}

async fn database() -> SqlitePool {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    let schema = "CREATE TABLE page (name TEXT PRIMARY KEY, views INTEGER);
                  CREATE TABLE progress (queue TEXT, partition INTEGER, position TEXT,
                                         PRIMARY KEY (queue, partition));
                  INSERT INTO progress (queue, partition) VALUES ('views', 0), ('views', 1);
                  CREATE TABLE profile (id INTEGER PRIMARY KEY, name TEXT, version INTEGER)";
    sqlx::raw_sql(schema).execute(&db).await.unwrap();
    db
}

#[derive(Serialize, Deserialize)]
struct View {
    page: String,
    count: i64,
}

impl View {
    fn add(&mut self, newer: &Self) {
        self.count += newer.count;
    }
}

#[write_behind(
    queue = "views",
    key = "<view.page>",
    merge = View::add,
    partitions = 2,
    batch = 7,
    linger = "1ms"
)]
async fn save_views(db: &SqlitePool, views: Batch<View>) -> Result<(), BoxError> {
    let mut tx = db.begin().await?;
    let sql = "SELECT position FROM progress WHERE queue = 'views' AND partition = ?";
    let stored = sqlx::query_scalar::<_, Option<String>>(sql).bind(views.partition());
    let stored = stored.fetch_one(&mut *tx).await?;
    let views = views.after(stored.map(|text| text.parse::<Position>()).transpose()?);

    if let Some(position) = views.position() {
        let sql = "UPDATE progress SET position = ? WHERE queue = 'views' AND partition = ?";
        let store = sqlx::query(sql).bind(position.to_string()).bind(views.partition());
        store.execute(&mut *tx).await?;
    }
    let changed = !views.is_empty();
    for view in views.into_items() {
        let sql = "INSERT INTO page VALUES (?, ?)
                   ON CONFLICT DO UPDATE SET views = views + excluded.views";
        sqlx::query(sql).bind(view.page).bind(view.count).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    trouble_if(changed)
}

async fn views_are_counted_exactly(_: Fixture) {
    let (db, queue) = (database().await, save_views_queue());
    let running = Running::start(save_views_worker(&db));
    for number in 0..60 {
        let page = format!("/{}", number % 4);
        queue.push(View { page, count: 1 }).await.unwrap();
    }
    settled(&queue).await;
    running.stop().await;
    let sql = "SELECT views FROM page ORDER BY name";
    let views: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&db).await.unwrap();
    assert_eq!(views, [15; 4]);
    assert_eq!(queue.length().await.unwrap().dead_letters, 0);
}

#[derive(Serialize, Deserialize)]
struct Profile {
    id: i64,
    name: String,
}

#[write_behind(
    queue = "profiles",
    key = "<profile.id>",
    merge = none,
    partitions = 1,
    batch = 4,
    linger = "1ms"
)]
async fn save_profiles(db: &SqlitePool, profiles: Batch<Profile>) -> Result<(), BoxError> {
    let mut tx = db.begin().await?;
    let mut changed = false;
    for profile in profiles {
        let sql = "INSERT INTO profile (id, name, version) VALUES (?, ?, ?)
                   ON CONFLICT DO UPDATE SET name = excluded.name, version = excluded.version
                   WHERE profile.version < excluded.version";
        let save = sqlx::query(sql).bind(profile.item.id).bind(profile.item.name);
        changed |= save.bind(profile.version).execute(&mut *tx).await?.rows_affected() > 0;
    }
    tx.commit().await?;
    trouble_if(changed)
}

async fn profiles_are_those_that_were_pushed_last(_: Fixture) {
    let (db, queue) = (database().await, save_profiles_queue());
    // The trigger of a database says if a row ever goes backwards.
    let guard = "CREATE TRIGGER forwards BEFORE UPDATE ON profile
                 WHEN CAST(new.name AS INTEGER) < CAST(old.name AS INTEGER)
                 BEGIN SELECT raise(ABORT, 'backwards'); END";
    sqlx::raw_sql(guard).execute(&db).await.unwrap();
    let running = Running::start(save_profiles_worker(&db));
    for number in 0..10 {
        for id in 0..3 {
            queue.push(Profile { id, name: number.to_string() }).await.unwrap();
        }
    }
    settled(&queue).await;
    running.stop().await;
    let sql = "SELECT name FROM profile ORDER BY id";
    let names: Vec<String> = sqlx::query_scalar(sql).fetch_all(&db).await.unwrap();
    assert_eq!(names, ["9"; 3]);
    assert_eq!(queue.length().await.unwrap().dead_letters, 0);
}
