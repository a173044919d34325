//! Every annotated function of a program, printed, and a test of their keys: `cargo run --example catalog --features catalog`.
#![allow(dead_code, reason = "only listed here")]

use cache_runtime::{cached, catalog, invalidates, write_through};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
}

#[cached(key = "user:<id>", ttl = "1h", lock, tags = ["users"])]
async fn get_user(id: u64) -> Result<User, String> {
    Ok(User { id, name: id.to_string() })
}

/// No number is `newest`, so this meets no `user:<id>`.
#[cached(key = "user:newest", ttl = "10s")]
async fn newest() -> u64 {
    7
}

#[cached(key = "name:<id>", ttl = "1d")]
async fn get_name(id: u64) -> String {
    id.to_string()
}

#[write_through(get_user(user.id))]
async fn save_user(user: User) -> Result<User, String> {
    Ok(user)
}

#[invalidates(key = "name:<id>")]
async fn rename(id: u64) {
    _ = id;
}

#[invalidates(tag = "users")]
async fn import() {}

fn main() {
    println!("{}", catalog());
    for function in catalog().never_invalidated() {
        println!("only its ttl ends what {} stores", function.function);
    }
    keys_go_together();
}

// In a program of yours: a #[test].
fn keys_go_together() {
    cache_runtime::assert_catalog_consistent();
}
