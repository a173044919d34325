//! How the service begins, and how it ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::Cache;
use tokio::net::TcpListener;

use crate::data::pool::DbPool;
use crate::data::views::save_views_worker;
use crate::http::router;
use crate::observed::Observed;
use crate::options::Options;
use crate::shop::Shop;
use crate::stop::Stop;
use crate::troubles::{Link, Troubles};
use crate::{dashboard, traffic};

/// An error of any kind, which ends the program.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Serves until the future of `until` ends, which is told the address.
///
/// # Cancel safety
///
/// When dropped, the service ends at once, and what it had to deliver to the cache is lost.
///
/// # Errors
///
/// If the database, the cache or the port cannot be opened.
pub async fn serve<F: Future<Output = ()> + Send + 'static>(
    options: &Options,
    until: impl FnOnce(SocketAddr) -> F,
) -> Result<(), BoxError> {
    let scratch = tempfile::tempdir()?;
    let path = options.database.path.clone().unwrap_or_else(|| scratch.path().join("shop.db"));
    let db = DbPool::open(path, &options.database).await?;
    let (cache, link) = connect(options).await?;
    let stopping = Stop::new();
    let shop = Shop {
        db,
        size: options.database.size,
        uncached: Cache::disabled(),
        observed: Arc::new(Observed::new(&cache)),
        cache,
        troubles: Arc::new(Troubles::new(options.traffic, options.database.query, link)),
        board: Arc::default(),
        stopped: stopping.listener(),
    };

    // Said when no request is left that could push anything.
    let answered = Stop::new();
    let worker = {
        // It is of the cache in whose scope it is made.
        let worker = shop.cache.scope(async { save_views_worker(&shop.db) }).await;
        tokio::spawn(worker.run(answered.listener().heard()))
    };
    let listener = TcpListener::bind(&options.address).await?;
    let address = listener.local_addr()?;
    let board = tokio::spawn(dashboard::watch(shop.clone()));
    let visitors = tokio::spawn(traffic::visit(shop.clone(), address));

    let until = until(address);
    let told = async move {
        until.await;
        // For the streams of the dashboard, whose connections would never end, and the visitors,
        // who leave before the door is shut.
        stopping.say();
        let _ = visitors.await;
    };
    axum::serve(listener, router(shop.clone())).with_graceful_shutdown(told).await?;

    // The order matters. Requests have ended by now. Then the worker: it delivers what they have
    // left in this process's queue; what is in Redis is left to others. Then what is still to be
    // told to the cache, for which the database may be needed; then the database.
    board.await?;
    answered.say();
    worker.await?;
    shop.cache.shutdown().await?;
    shop.db.close().await;
    Ok(())
}

/// The cache, and the link to its Redis if there is one that can be cut.
async fn connect(options: &Options) -> Result<(Cache, Option<Link>), BoxError> {
    let Some(url) = &options.cache else { return Ok((Cache::disabled(), None)) };
    // What a run has cached of a database of its own is of no use to another.
    let namespace = match options.database.path {
        Some(_) => "shop".to_owned(),
        None => format!("shop:{}", std::process::id()),
    };
    let link = Link::to(url).await?;
    let url = link.as_ref().map_or(url.as_str(), Link::url);
    // As often as the dashboard tells it.
    let settings = Cache::builder().namespace(namespace).measure_queues(Duration::from_secs(1));
    Ok((settings.connect(url)?, link))
}
