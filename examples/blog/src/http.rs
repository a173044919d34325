//! The routes. The header `viewer` says who asks; without it, nobody in particular reads.

use axum::Router;
use axum::extract::{FromRequestParts, Json, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use cache_runtime::Cache;
use serde::{Deserialize, Serialize};

use crate::types::{Counted, Draft};
use crate::variant::Data;

/// What every handler can reach.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) data: Data,
    pub(crate) cache: Cache,
}

impl Service {
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/articles", get(list).post(add_article))
            .route("/articles/{id}", get(article).put(edit_article))
            .route("/articles/{id}/comments", get(comments).post(comment))
            .route("/articles/{id}/favourite", post(favourite).delete(unfavourite))
            .route("/feed", get(feed))
            .route("/profiles/{id}", get(profile))
            .route("/profiles/{id}/follow", post(follow).delete(unfollow))
            .route("/user", put(edit_profile).get(user))
            .route("/counted", get(counted))
            .with_state(self)
    }

    pub(crate) fn counted(&self) -> Counted {
        let stats = self.cache.stats();
        Counted {
            statements: self.data.db.statements(),
            hits: stats.functions.iter().map(cache_runtime::stats::FunctionStats::hits).sum(),
            misses: stats.functions.iter().map(cache_runtime::stats::FunctionStats::misses).sum(),
            undelivered: stats.journal_depth,
        }
    }
}

/// Who asks, if that is said.
struct Viewer(Option<i64>);

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Some(header) = parts.headers.get("viewer") else { return Ok(Self(None)) };
        let id = header.to_str().ok().and_then(|text| text.parse().ok());
        id.map(|id| Self(Some(id))).ok_or(Failure::Unknown)
    }
}

/// Who asks, where nobody may not.
struct Known(i64);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Viewer(id) = Viewer::from_request_parts(parts, state).await?;
        id.map(Self).ok_or(Failure::Unknown)
    }
}

/// Why there is no answer.
enum Failure {
    /// It is not said who asks, or not so that it can be read.
    Unknown,
    /// There is no such row.
    Missing,
    /// The details are for the log.
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Database(error) => {
                eprintln!("{error}");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        status.into_response()
    }
}

type Answer = Result<Response, Failure>;

/// The answer of a function that finds everything.
fn found(value: sqlx::Result<impl Serialize>) -> Answer {
    Ok(Json(value?).into_response())
}

/// The answer of one that may find nothing.
fn perhaps(value: sqlx::Result<Option<impl Serialize>>) -> Answer {
    Ok(Json(value?.ok_or(Failure::Missing)?).into_response())
}

#[derive(Deserialize)]
struct Which {
    tag: Option<String>,
    #[serde(default)]
    page: u16,
}

async fn list(
    State(service): State<Service>,
    Viewer(viewer): Viewer,
    Query(Which { tag, page }): Query<Which>,
) -> Answer {
    found(service.data.list(viewer, tag.as_deref(), page.into()).await)
}

async fn feed(State(service): State<Service>, Known(viewer): Known) -> Answer {
    found(service.data.feed(viewer).await)
}

async fn article(
    State(service): State<Service>,
    Viewer(viewer): Viewer,
    Path(id): Path<i64>,
) -> Answer {
    perhaps(service.data.article(viewer, id).await)
}

async fn comments(
    State(service): State<Service>,
    Viewer(viewer): Viewer,
    Path(id): Path<i64>,
) -> Answer {
    found(service.data.comments(viewer, id).await)
}

async fn profile(
    State(service): State<Service>,
    Viewer(viewer): Viewer,
    Path(id): Path<i64>,
) -> Answer {
    perhaps(service.data.profile(viewer, id).await)
}

async fn user(State(service): State<Service>, Known(viewer): Known) -> Answer {
    let profile = service.data.profile(None, viewer).await?;
    perhaps(Ok(profile.map(|profile| profile.user)))
}

async fn favourite(
    State(service): State<Service>,
    Known(viewer): Known,
    Path(id): Path<i64>,
) -> Answer {
    perhaps(service.data.favourite(viewer, id, true).await)
}

async fn unfavourite(
    State(service): State<Service>,
    Known(viewer): Known,
    Path(id): Path<i64>,
) -> Answer {
    perhaps(service.data.favourite(viewer, id, false).await)
}

async fn follow(
    State(service): State<Service>,
    Known(viewer): Known,
    Path(id): Path<i64>,
) -> Answer {
    perhaps(service.data.follow(viewer, id, true).await)
}

async fn unfollow(
    State(service): State<Service>,
    Known(viewer): Known,
    Path(id): Path<i64>,
) -> Answer {
    perhaps(service.data.follow(viewer, id, false).await)
}

async fn comment(
    State(service): State<Service>,
    Known(viewer): Known,
    Path(id): Path<i64>,
    text: String,
) -> Answer {
    perhaps(service.data.comment(viewer, id, &text).await)
}

async fn edit_article(
    State(service): State<Service>,
    Known(viewer): Known,
    Path(id): Path<i64>,
    body: String,
) -> Answer {
    perhaps(service.data.edit_article(viewer, id, &body).await)
}

async fn edit_profile(State(service): State<Service>, Known(viewer): Known, bio: String) -> Answer {
    perhaps(service.data.edit_profile(viewer, &bio).await)
}

async fn add_article(
    State(service): State<Service>,
    Known(viewer): Known,
    Json(draft): Json<Draft>,
) -> Answer {
    perhaps(service.data.add_article(viewer, &draft).await)
}

async fn counted(State(service): State<Service>) -> Json<Counted> {
    Json(service.counted())
}
