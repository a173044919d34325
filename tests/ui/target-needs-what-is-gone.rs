#![allow(unused_variables)]

use cache_runtime::{cached, invalidates};

struct Users {
    tenant: i64,
}

struct Row {
    tenant: Tenant,
}

#[derive(serde::Serialize)]
struct Tenant;

impl Users {
    #[cached(key = "user:<self.tenant>:<id>", ttl = 60)]
    async fn get_user(&self, id: i64) -> i64 {
        todo!()
    }

    #[invalidates(self.get_user(*result))]
    async fn add_user(&mut self, name: &str) -> i64 {
        todo!()
    }
}

#[invalidates(key = "user:<row.tenant:hash>:<result>")]
async fn add_row(row: Row) -> i64 {
    todo!()
}

fn main() {}
