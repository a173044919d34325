//! What the service serves.

mod answer;
mod api;
mod explain;
mod operations;
mod scope;

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::shop::Shop;
use crate::{dashboard, troubles};

pub(crate) fn router(shop: Shop) -> Router {
    let api = api::router().layer(from_fn_with_state(shop.clone(), scope::measured));
    let api = api.merge(explain::router());
    Router::new()
        .nest("/api", api)
        .merge(operations::router())
        .merge(dashboard::router())
        .nest("/troubles", troubles::router())
        .with_state(shop)
}
