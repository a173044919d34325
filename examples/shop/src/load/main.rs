//! Measures what the cache saves: the same visitors ask the shop without a cache, with one in its
//! own memory, and with a Redis. `cargo run -p shop --release --bin load -- --help`.

mod measure;
mod options;
mod plot;
mod progress;
mod table;

use shop::{BoxError, Mix, Options, serve};
use tokio::sync::oneshot;
use visitors::redis::Redis;

use crate::measure::{Measured, Visits};
use crate::options::{HELP, Plan, Store};
use crate::progress::Progress;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let Some(plan) = Plan::read(std::env::args().skip(1))? else {
        println!("{HELP}");
        return Ok(());
    };
    table::begin(&plan);
    let progress = Progress::new(&plan);
    let mut measured = Vec::new();
    for &store in &plan.stores {
        progress.begin(store);
        measured.push(run(&plan, store, &progress).await?);
    }
    progress.end();
    table::show(&plan, &measured);
    if let Some(directory) = plan.plot.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(&plan.plot, plot::svg(&plan, &measured))?;
    println!("\nThe plot is in {}.", plan.plot.display());
    Ok(())
}

/// One service after the other, so that they do not share the machine.
async fn run(plan: &Plan, store: Store, progress: &Progress) -> Result<Measured, BoxError> {
    let scratch = tempfile::tempdir()?;
    let redis = match store {
        Store::Redis => Some(Redis::start(scratch.path()).await?),
        Store::Off | Store::Memory => None,
    };
    let mut options = Options::quiet();
    options.cache = match store {
        Store::Off => None,
        Store::Memory => Some("memory:".to_owned()),
        Store::Redis => redis.as_ref().map(Redis::url),
    };
    options.database.connections = plan.connections;
    options.database.query = plan.query;
    let (tell, told) = oneshot::channel();
    let (end, ended) = oneshot::channel::<()>();
    // Who waits at the other end of either is gone only if the measurement has failed.
    let until = |address| async move {
        let _ = tell.send(address);
        let _ = ended.await;
    };
    let visited = async {
        let mix = Mix::new(options.database.size, plan.writes / 100.0);
        let visits = Visits::new(told.await?, mix, plan.clients, plan.think);
        visits.run(plan.warm, progress).await?;
        let measured = visits.run(plan.measure, progress).await?;
        drop(end);
        Ok(measured)
    };
    let ((), measured) = tokio::try_join!(serve(&options, until), visited)?;
    Ok(measured)
}
