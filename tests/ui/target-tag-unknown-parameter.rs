#![allow(unused_variables)]

use cache_runtime::invalidates;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

#[invalidates(tag = "org:<ogr>", tag = org_tag(org), tag)]
async fn write(org: i64) -> Result<(), Error> {
    todo!()
}

fn main() {}
