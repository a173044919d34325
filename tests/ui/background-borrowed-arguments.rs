use std::borrow::Cow;

use cache_runtime::cached;

#[cached(key = "user:<id>:<name>", ttl = 60, stale_while_revalidate = "10m", skip(rest, names, it, a))]
async fn get_user(
    id: i64,
    name: Option<&str>,
    rest: Cow<'_, str>,
    names: &[&str],
    it: impl Send,
    (a, _): (i64, i64),
) -> String {
    let _ = (name, rest, names, it, a);
    id.to_string()
}

fn main() {}
