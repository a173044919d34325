//! What a cached function returns.

#![allow(unused_variables)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Debug;

use axum::Json;
use axum::response::Html;
use cache_runtime::cached;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

#[cached(key = "name:<id>", ttl = 60)]
async fn nothing(db: &Pool, id: i64) {}

#[cached(key = "name:<id>", ttl = 60)]
async fn reference(db: &Pool, id: i64) -> Result<&str, Error> {
    todo!()
}

#[cached(key = "name:<id>", ttl = 60)]
async fn impl_trait(db: &Pool, id: i64) -> impl std::fmt::Display {
    todo!()
}

#[cached(ttl = 60)]
async fn get_object(id: i64) -> dyn Debug {
    todo!()
}

#[cached(ttl = 60)]
async fn run(id: i64) -> ! {
    todo!()
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Title<'a> {
    text: Cow<'a, str>,
}

struct Shop {
    name: String,
}

#[cached(key = "title:<text>", ttl = 60)]
async fn title<'a>(text: &'a str) -> Title<'a> {
    todo!()
}

#[cached(key = "titles:<text>", ttl = 60)]
async fn titles(text: &str) -> Result<Vec<Title<'_>>, String> {
    todo!()
}

impl Shop {
    #[cached(key = "shop:<self.name>", ttl = 60)]
    async fn hidden(&self) -> Title {
        todo!()
    }
}

// This is how to write it.
#[cached(key = "owned:<text>", ttl = 60)]
async fn owned(text: &str) -> Title<'static> {
    Title { text: Cow::Owned(text.to_owned()) }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Label<'a>(Cow<'a, str>);

#[cached(key = "label:<name>", ttl = 60)]
async fn label(name: &str) -> Result<Label, String> {
    todo!()
}

#[cached(batch(id in ids), key = "labels:<id>", ttl = 60)]
async fn labels(ids: &[i64]) -> HashMap<i64, Label> {
    todo!()
}

struct Market {
    name: String,
}

impl Market {
    #[cached(key = "shop:<self.name>:<id>", ttl = 60)]
    async fn label(&self, id: i64) -> std::io::Result<Option<Label>> {
        todo!()
    }
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Page<'a> {
    text: Cow<'a, str>,
}

impl<'a> Page<'a> {
    #[cached(key = "page:<id>", ttl = 60)]
    async fn find(id: i64) -> Result<Self, String> {
        Ok(Self { text: Cow::Owned(id.to_string()) })
    }
}

// This is how to write it.
impl Page<'static> {
    #[cached(key = "static:<id>", ttl = 60)]
    async fn find_static(id: i64) -> Result<Self, String> {
        Ok(Self { text: Cow::Owned(id.to_string()) })
    }
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Row<Entity>(Entity);

impl<Entity> Row<Entity>
where
    Entity: Clone + Send + Sync + serde::Serialize + serde::de::DeserializeOwned,
{
    #[cached(key = "row:<Self>:<id>", ttl = 60)]
    async fn find(id: i64) -> Option<Entity> {
        let _ = id;
        None
    }
}

#[cached(key = "user:<id>", ttl = 60)]
async fn user(id: i64) -> Result<Json<User>, Error> {
    todo!()
}

#[cached(key = "page:<id>", ttl = 60)]
async fn page(id: i64) -> Html<String> {
    todo!()
}

#[cached(ttl = 60)]
async fn error_borrows<'a>(name: &'a str) -> Result<String, Cow<'a, str>> {
    todo!()
}

type Outcome<T> = Result<T, String>;

#[cached(key = "<T>:<id>", ttl = 60)]
async fn find<T: From<i64> + Serialize + DeserializeOwned>(id: i64) -> Outcome<T> {
    Ok(id.into())
}

#[derive(Serialize, Deserialize)]
struct SearchResult<T>(Vec<T>);

#[cached(key = "search:<T>:<id>", ttl = 60)]
async fn search<T: From<i64> + Serialize + DeserializeOwned>(id: i64) -> SearchResult<T> {
    SearchResult(vec![id.into()])
}

fn main() {}
