//! Types of what a write reads before its body.

use cache_runtime::{cached, invalidates};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
    name: String,
}

struct Error;

#[cached(key = "name:<name>", ttl = 60)]
async fn get_by_name(name: &str) -> Result<User, Error> {
    todo!("{name}")
}

async fn find(id: i64) -> Result<Option<User>, Error> {
    todo!("{id}")
}

async fn find_by_name(name: String) -> Option<User> {
    todo!("{name}")
}

fn known(id: i64) -> Option<User> {
    todo!("{id}")
}

#[invalidates(get_by_name(&before.name), before = known(id))]
async fn no_future(id: i64) -> Result<(), Error> {
    todo!("{id}")
}

#[invalidates(get_by_name(&before.title), before = find(id))]
async fn no_such_field(id: i64) -> Result<(), Error> {
    todo!("{id}")
}

#[invalidates(get_by_name(before.id), before = find(id))]
async fn another_type(id: i64) -> Result<(), Error> {
    todo!("{id}")
}

#[invalidates(get_by_name(&before.name), before = find_by_name(name))]
async fn moved(name: String) -> Result<(), Error> {
    todo!("{name}")
}

fn main() {}
