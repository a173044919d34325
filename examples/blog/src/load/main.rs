//! Measures the variants of the service against each other:
//! `cargo run -p blog --release --bin blog-load`.

mod measure;
mod mix;
mod options;
mod processes;
mod table;

use blog::{BoxError, Options, Scratch, VARIANTS, serve_as_child};
use visitors::redis::Redis;

use crate::measure::{Cell, Measured};
use crate::options::{HELP, Plan, Store};
use crate::processes::Service;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if_eq("serve").is_some() {
        // The services are this program again, so that there is no other one to build first.
        return serve_as_child(&Options::at("blog.db".into()).read(words)?).await;
    }
    if let Some(plan) = Plan::read(words)? {
        return run(&plan).await;
    }
    println!("{HELP}");
    Ok(())
}

async fn run(plan: &Plan) -> Result<(), BoxError> {
    let scratch = Scratch::new()?;
    let redis = match plan.store {
        Store::Redis => {
            let redis = Redis::start(scratch.path()).await;
            Some(redis.map_err(|error| format!("{error}; --store memory needs none"))?)
        }
        Store::Memory => None,
    };
    let cache = redis.as_ref().map_or_else(|| "memory:".to_owned(), Redis::url);
    let mut services = Vec::new();
    for variant in VARIANTS {
        let path = scratch.path().join(format!("{variant}.db"));
        let mut options = Options::at(path);
        options.variant = variant;
        options.cache.clone_from(&cache);
        options.database.connections = plan.connections;
        options.database.statement = plan.statement;
        services.push(Service::start(&options).await?);
    }
    table::begin(plan);
    for &writes in &plan.writes {
        let cells: Vec<Cell> = services.iter().map(|service| plan.cell(service, writes)).collect();
        for cell in &cells {
            cell.run(plan.warm).await?;
        }
        // One after the other and round by round, so that whatever else the machine does meanwhile
        // does it to all of them.
        let mut measured: Vec<Measured> = cells.iter().map(|_| Measured::default()).collect();
        for _ in 0..plan.rounds {
            for (cell, measured) in cells.iter().zip(&mut measured) {
                measured.add(cell.run(plan.round).await?);
            }
        }
        table::show(writes, &VARIANTS, &measured);
    }
    for service in services {
        service.stop().await?;
    }
    Ok(())
}
