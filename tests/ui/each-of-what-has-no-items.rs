use cache_runtime::{cached, invalidates};

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> String {
    id.to_string()
}

#[invalidates(each(id in count) get_user(id))]
async fn rename(count: i64) {}

#[invalidates(each(name in names) get_user(name))]
async fn merge(names: &[String]) {}

fn main() {}
