//! The shop itself, as JSON.

use axum::Router;
use axum::extract::{Json, Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use serde::Deserialize;

use crate::data::carts::{self, Line};
use crate::data::products::{self, Draft};
use crate::data::{lists, orders, report, search, users, views};
use crate::failure::Result;
use crate::http::answer::{Answer, done, found, perhaps, written};
use crate::shop::Shop;

pub(super) fn router() -> Router<Shop> {
    Router::new()
        .route("/front-page", get(front_page))
        .route("/categories/{category}", get(category))
        .route("/search", get(find))
        .route("/products", post(add_product))
        .route("/products/{id}", get(product))
        .route("/products/{id}/price", put(set_price))
        .route("/products/{id}/views", get(viewed).post(view))
        .route("/users", get(find_user))
        .route("/users/{id}", get(user))
        .route("/users/{id}/email", put(set_email))
        .route("/carts/{user}", get(cart).put(put_in))
        .route("/carts/{user}/order", post(order))
        .route("/report", get(sales))
}

async fn front_page(State(shop): State<Shop>) -> Answer {
    found(lists::front_page(&shop.db)).await
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    page: u16,
}

async fn category(
    State(shop): State<Shop>,
    Path(category): Path<String>,
    Query(Page { page }): Query<Page>,
) -> Answer {
    found(lists::category(&shop.db, &category, page.into())).await
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

async fn find(State(shop): State<Shop>, Query(Text { text }): Query<Text>) -> Answer {
    found(search::search(&shop.db, &text)).await
}

async fn product(State(shop): State<Shop>, Path(id): Path<i64>) -> Answer {
    perhaps(products::product(&shop.db, id)).await
}

async fn add_product(State(shop): State<Shop>, Json(draft): Json<Draft>) -> Answer {
    written(products::add_product(&shop.db, &draft)).await
}

async fn set_price(
    State(shop): State<Shop>,
    Path(id): Path<i64>,
    Json(cents): Json<i64>,
) -> Answer {
    done(products::set_price(&shop.db, id, cents)).await
}

async fn viewed(State(shop): State<Shop>, Path(id): Path<i64>) -> Answer {
    found(views::views(&shop.db, id)).await
}

/// Accepted, and not yet counted.
async fn view(Path(id): Path<i64>) -> Result<StatusCode> {
    views::view(id).await?;
    Ok(StatusCode::ACCEPTED)
}

#[derive(Deserialize)]
struct Address {
    email: String,
}

async fn find_user(State(shop): State<Shop>, Query(Address { email }): Query<Address>) -> Answer {
    perhaps(users::find_user(&shop.db, &email)).await
}

async fn user(State(shop): State<Shop>, Path(id): Path<i64>) -> Answer {
    perhaps(users::user(&shop.db, id)).await
}

async fn set_email(
    State(shop): State<Shop>,
    Path(id): Path<i64>,
    Json(email): Json<String>,
) -> Answer {
    done(users::set_email(&shop.db, id, &email)).await
}

async fn cart(State(shop): State<Shop>, Path(user): Path<i64>) -> Answer {
    found(carts::cart(&shop.db, user)).await
}

async fn put_in(State(shop): State<Shop>, Path(user): Path<i64>, Json(line): Json<Line>) -> Answer {
    written(carts::put_in(&shop.db, user, &line)).await
}

async fn order(State(shop): State<Shop>, Path(user): Path<i64>) -> Answer {
    written(orders::order(&shop.db, user)).await
}

async fn sales(State(shop): State<Shop>) -> Answer {
    found(report::sales(&shop.db)).await
}
