use cache_runtime::invalidates;

#[invalidates(each(_ids) get_user(id))]
async fn rename(_ids: &[i64]) {}

#[invalidates(each(id in _ids))]
async fn merge(_ids: &[i64]) {}

#[invalidates(each(id in _ids) key = "user:<idx>")]
async fn block(_ids: &[i64]) {}

fn main() {}
