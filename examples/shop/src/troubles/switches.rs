//! Troubles that last until they are switched off.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::failure::{Failure, Result};
use crate::shop::Shop;
use crate::troubles::Link;

/// How much longer a query takes while the database is slow.
const SLOWER: u32 = 20;

/// What is switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switches {
    /// Visitors of its own ask the service.
    pub traffic: bool,
    /// Redis is cut off; none if there is no Redis that could be.
    pub outage: Option<bool>,
    /// Queries take longer.
    pub slow_database: bool,
}

/// Switches, and what they switch.
#[derive(Debug)]
pub(crate) struct Troubles {
    pub(crate) traffic: watch::Sender<bool>,
    slow: AtomicBool,
    /// What a query costs at other times.
    query: Duration,
    link: Option<Link>,
}

impl Troubles {
    pub(crate) fn new(traffic: bool, query: Duration, link: Option<Link>) -> Self {
        let (traffic, slow) = (watch::Sender::new(traffic), AtomicBool::new(false));
        Self { traffic, slow, query, link }
    }

    pub(crate) fn switches(&self) -> Switches {
        Switches {
            traffic: *self.traffic.borrow(),
            outage: self.link.as_ref().map(Link::is_cut),
            slow_database: self.slow.load(Ordering::Relaxed),
        }
    }
}

pub(super) async fn outage(
    State(shop): State<Shop>,
    Json(on): Json<bool>,
) -> Result<Json<Switches>> {
    let link = shop.troubles.link.as_ref();
    let link =
        link.ok_or(Failure::Conflict("there is no Redis to cut off: start with CACHE_URL"))?;
    link.cut(on);
    Ok(Json(shop.troubles.switches()))
}

pub(super) async fn slow_database(
    State(shop): State<Shop>,
    Json(on): Json<bool>,
) -> Json<Switches> {
    let Troubles { slow, query, .. } = &*shop.troubles;
    slow.store(on, Ordering::Relaxed);
    shop.db.set_cost(if on { *query * SLOWER } else { *query });
    Json(shop.troubles.switches())
}

pub(super) async fn traffic(State(shop): State<Shop>, Json(on): Json<bool>) -> Json<Switches> {
    shop.troubles.traffic.send_replace(on);
    Json(shop.troubles.switches())
}
