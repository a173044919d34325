//! Troubles to cause, by a button of the dashboard or by a request.

mod link;
mod stampede;
mod storm;
mod switches;

use axum::Router;
use axum::routing::{post, put};

pub(crate) use self::link::Link;
pub use self::switches::Switches;
pub(crate) use self::switches::Troubles;
use crate::shop::Shop;

pub(crate) fn router() -> Router<Shop> {
    Router::new()
        .route("/stampede", post(stampede::stampede))
        .route("/storm", post(storm::storm))
        .route("/outage", put(switches::outage))
        .route("/slow-database", put(switches::slow_database))
        .route("/traffic", put(switches::traffic))
}
