//! What is stored can be written and read back.

#![allow(unused_variables)]

use std::collections::{BTreeMap, HashMap};

use cache_runtime::{cached, write_behind};

struct Error;

struct Row;

#[cached(key = "row:<id>", ttl = 60)]
async fn not_serializable(id: i64) -> Result<Row, Error> {
    todo!()
}

#[derive(serde::Serialize)]
struct Written;

#[derive(serde::Deserialize)]
struct Read;

struct Neither;

#[cached(key = "written:<id>", ttl = 60)]
async fn written(id: i64) -> Result<Written, String> {
    todo!()
}

#[cached(key = "read:<id>", ttl = 60)]
async fn read(id: i64) -> Option<Read> {
    todo!()
}

#[cached(key = "neither:<id>", ttl = 60)]
async fn neither(id: i64) -> Vec<Neither> {
    todo!()
}

#[cached(batch(id in ids), key = "each:written:<id>", ttl = 60)]
async fn each_written(ids: &[i64]) -> Result<HashMap<i64, Written>, String> {
    todo!()
}

#[cached(batch(id in ids), key = "each:read:<id>", ttl = 60, none_ttl = 60)]
async fn each_read(ids: &[i64]) -> BTreeMap<i64, Read> {
    todo!()
}

#[cached(batch(id in ids), key = "each:neither:<id>", ttl = 60)]
async fn each_neither(ids: &[i64]) -> Vec<(i64, Neither)> {
    todo!()
}

#[write_behind(queue = "rows")]
async fn write_behind_item_not_serializable(rows: Vec<Row>) {
    let _ = rows;
}

fn main() {}
