//! Around every request of the API: which cache it uses, and how long it takes.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::data::pool::counting;
use crate::observed::Answered;
use crate::shop::Shop;

/// Runs the request in the scope of the service's cache, so that two services in one program, as in
/// tests, do not see each other's entries.
///
/// A read that says `Cache-Control: no-cache` runs without one. A write never does: it would leave
/// in the cache what it replaces in the database.
pub(super) async fn measured(
    State(shop): State<Shop>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let past_the_cache = request.method() == Method::GET && wants_nothing_cached(&request);
    let cache = if past_the_cache { &shop.uncached } else { &shop.cache };
    let begin = Instant::now();
    let (response, queries) = cache.scope(counting(next.run(request))).await;
    shop.observed.count(&Answered {
        route: route.as_str(),
        status: response.status().as_u16(),
        took: begin.elapsed(),
        queries,
        past_the_cache,
    });
    response
}

fn wants_nothing_cached(request: &Request) -> bool {
    let said = request.headers().get(header::CACHE_CONTROL);
    said.is_some_and(|said| said.as_bytes().eq_ignore_ascii_case(b"no-cache"))
}
