//! Prints every annotated function of a program, and checks their keys: `cargo run --example
//! catalog`.
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

/// `newest` is not a number, so this key never collides with `user:<id>`.
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
        println!(
            "{} is never invalidated: its values live until their ttl ends",
            function.function
        );
    }
    keys_go_together();
}

// In your own program, make this a #[test].
fn keys_go_together() {
    catalog::assert_catalog_consistent();
}
