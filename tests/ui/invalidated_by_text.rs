//! Text is neither a key nor a tag.

use cache_runtime::{Cache, Key};

async fn forget(cache: &Cache, id: i64) -> Result<(), cache_runtime::Error> {
    cache.invalidate("user:7").await?;
    cache.invalidate(vec![format!("user:{id}")]).await?;
    cache.invalidate_tag(format!("org:{id}")).await?;
    cache.invalidate_tag(id).await?;
    let key: Key<String> = Key::builder().text("user:").part(&id).done().tag(format!("org:{id}"));
    cache.invalidate(&Key::builder().text("user:").part(&id).done()).await
}

fn main() {}
