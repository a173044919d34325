//! The page, and nothing from elsewhere.

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::shop::Shop;

/// Nothing but these files and the service's own answers, nothing inline, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn router() -> Router<Shop> {
    Router::new()
        .route("/", get(file("text/html", include_str!("assets/page.html"))))
        .route("/dashboard/page.css", get(file("text/css", include_str!("assets/page.css"))))
        .route("/dashboard/page.js", get(script(include_str!("assets/page.js"))))
        .route("/dashboard/charts.js", get(script(include_str!("assets/charts.js"))))
        .route("/dashboard/explain.js", get(script(include_str!("assets/explain.js"))))
        .route("/dashboard/figures.js", get(script(include_str!("assets/figures.js"))))
        .route("/dashboard/icon.svg", get(file("image/svg+xml", include_str!("assets/icon.svg"))))
}

fn script(text: &'static str) -> impl IntoResponse + Clone {
    file("text/javascript", text)
}

fn file(kind: &str, text: &'static str) -> impl IntoResponse + Clone + use<> {
    let headers = [
        (CONTENT_TYPE, format!("{kind}; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, text)
}
