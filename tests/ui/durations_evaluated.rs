//! Constants are evaluated at compile time, as literals are.

use std::time::Duration;

use cache_runtime::{cached, write_behind};

const NOTHING: Duration = Duration::ZERO;

#[cached(key = "user:<id>", ttl = 60, budget = NOTHING)]
async fn get_user(id: i64) -> String {
    id.to_string()
}

#[write_behind(queue = "views", lease = Duration::from_micros(999))]
async fn save_views(views: Vec<u64>) -> Result<(), String> {
    drop(views);
    Ok(())
}

fn main() {}
