//! Ticks as JSON: the last ones, and each new one as it comes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures_util::stream::{Stream, StreamExt as _, unfold};

use crate::dashboard::tick::Tick;
use crate::shop::Shop;

pub(super) async fn ticks(State(shop): State<Shop>) -> Json<Vec<Arc<Tick>>> {
    Json(shop.board.last())
}

/// Ends when the service stops, which would wait for it otherwise.
pub(super) async fn events(
    State(shop): State<Shop>,
) -> Sse<impl Stream<Item = Result<Event, axum::Error>>> {
    let ticks = unfold(shop.board.subscribe(), |mut newest| async {
        newest.changed().await.ok()?;
        let tick = Arc::clone(&newest.borrow_and_update());
        Some((tick, newest))
    });
    let ticks = ticks.take_until(shop.stopped.heard());
    Sse::new(ticks.map(|tick| Event::default().json_data(&*tick)))
}
