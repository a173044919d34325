//! `error_kind`: what a sink's own errors mean.

use std::fmt;
use std::sync::{Arc, Mutex};

use cache_runtime::queue::SinkErrorKind;
use cache_runtime::write_behind;

use crate::stage::{Running, Stage, View, on_both_stores, settled};

#[derive(Debug)]
enum DbError {
    Constraint,
    Connection,
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl DbError {
    fn kind(&self) -> SinkErrorKind {
        match self {
            Self::Constraint => SinkErrorKind::Permanent,
            Self::Connection => SinkErrorKind::Transient,
        }
    }
}

/// How often it has failed for want of a connection, and what it has taken.
type Seen = Arc<Mutex<(u32, Vec<String>)>>;

#[write_behind(
    queue = "kinds",
    key = "<view.page>",
    partitions = 1,
    linger = "10ms",
    max_attempts = 1,
    error_kind = DbError::kind,
    sink_timeout = "1h",
    max_deliveries = 5
)]
async fn save_kinds(seen: Seen, views: Vec<View>) -> Result<(), DbError> {
    let mut seen = seen.lock().unwrap();
    if seen.0 < 4 {
        seen.0 += 1;
        return Err(DbError::Connection);
    }
    if views.iter().any(|view| view.page == "bad") {
        return Err(DbError::Constraint);
    }
    seen.1.extend(views.into_iter().map(|view| view.page));
    Ok(())
}

on_both_stores! {
    a_function_tells_of_which_kind_an_error_is
}

async fn a_function_tells_of_which_kind_an_error_is(_stage: Stage) {
    let (queue, seen) = (save_kinds_queue(), Seen::default());
    for page in ["a", "bad", "b"] {
        queue.push(View::of(page)).await.unwrap();
    }
    let running = Running::start(save_kinds_worker(Arc::clone(&seen)));
    settled(&queue).await;
    running.stop().await;
    assert_eq!(seen.lock().unwrap().1, ["a", "b"]);
    let letters = queue.dead_letters(10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0].error[..], letters[0].attempts), ("Constraint", 1));
}
