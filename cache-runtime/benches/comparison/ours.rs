//! Annotated functions.

use cache_runtime::cached;

use super::subject::{Page, User};

#[cached(key = "user:<id>", ttl = 3600)]
pub(crate) async fn user(id: u64) -> User {
    User::new(id)
}

#[cached(key = "page:<number>", ttl = 3600)]
pub(crate) async fn page(number: u64) -> Page {
    Page::new(number)
}
