//! What a refresh in the background takes with it.

use std::borrow::Cow;

use cache_runtime::cached;

struct Pool;

#[cached(
    key = "user:<id>:<name>",
    ttl = 60,
    stale_while_revalidate = "10m",
    skip(rest, names, it, a)
)]
async fn borrowed_arguments(
    id: i64,
    name: Option<&str>,
    rest: Cow<'_, str>,
    names: &[&str],
    it: impl Send,
    (a, _): (i64, i64),
) -> String {
    let _ = (name, rest, names, it, a);
    id.to_string()
}

trait Users {
    async fn find(&self, id: i64) -> String;
}

#[derive(Clone)]
struct Service;

impl Users for Service {
    #[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = "10m", companion = false)]
    async fn find(&self, id: i64) -> String {
        id.to_string()
    }
}

#[derive(Clone)]
struct Client;

#[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = "10m", skip(client))]
async fn mutable_reference(client: &mut Client, id: i64) -> String {
    let _ = client;
    id.to_string()
}

#[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = "10m")]
async fn not_clone(db: &Pool, id: i64) -> String {
    let _ = db;
    id.to_string()
}

struct Uncloned;

impl Uncloned {
    #[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = "10m")]
    async fn find(&self, id: i64) -> String {
        id.to_string()
    }
}

#[cached(
    key = "user:<id>",
    ttl = 60,
    stale_while_revalidate = "10m",
    unless = |name| *name == guest,
    skip(guest),
)]
async fn unless_uses_parameter(id: i64, guest: String) -> String {
    let _ = guest;
    id.to_string()
}

fn main() {}
