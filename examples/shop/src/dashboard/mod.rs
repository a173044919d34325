//! The page that shows what the cache does, and what it is told.

mod board;
mod page;
mod stream;

pub(crate) mod figures;
pub(crate) mod tick;

use axum::Router;
use axum::routing::get;

pub(crate) use self::board::{Board, watch};
use crate::shop::Shop;

pub(crate) fn router() -> Router<Shop> {
    page::router()
        .route("/dashboard/ticks", get(stream::ticks))
        .route("/dashboard/events", get(stream::events))
}
