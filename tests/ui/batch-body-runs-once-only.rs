#![allow(unused_variables)]

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use cache_runtime::cached;

struct Buffer;

#[cached(batch(id in ids), key = "user:<id>", ttl = 60, skip(buffer))]
async fn lent(buffer: &mut Buffer, ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids), key = "user:<id>", ttl = 60, skip(buffer))]
async fn given(buffer: Buffer, ids: &[i64]) -> HashMap<i64, String> {
    drop(buffer);
    HashMap::new()
}

impl Buffer {
    #[cached(batch(id in ids), key = "user:<id>", ttl = 60)]
    async fn changed(&mut self, ids: &[i64]) -> HashMap<i64, String> {
        HashMap::new()
    }

    #[cached(batch(id in ids), key = "user:<id>", ttl = 60)]
    fn boxed<'a>(
        &'a self,
        ids: &'a [i64],
    ) -> Pin<Box<dyn Future<Output = HashMap<i64, String>> + Send + 'a>> {
        Box::pin(async move { HashMap::new() })
    }
}

fn main() {}
