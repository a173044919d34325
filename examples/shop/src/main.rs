//! A web shop with every caching strategy where it fits, and a dashboard to watch them at work.
//!
//! - `cargo run -p shop` serves at <http://127.0.0.1:3000> until Ctrl+C or SIGTERM, with the cache
//!   in its own memory. With a Redis, which a button of the dashboard cuts off:
//!   `CACHE_URL=redis://127.0.0.1 cargo run -p shop`.
//! - `cargo run -p shop -- --check` asks each endpoint once and ends; `--help` says what else there
//!   is.
//! - `cargo run -p shop --release --bin load -- --help` measures what the cache saves.
//! - `cargo test -p shop` has the service do what it says, in a browser too.
//!
//! What is cached, and how, is in `data/`, one file for each strategy. `http/` serves it, and
//! `serve.rs` says in which order everything ends. `dashboard/` is the page and what it is told,
//! `troubles/` what its buttons cause.
//!
//! The database is SQLite, whose queries cost next to nothing beside those of a server across a
//! network. So each of them occupies one of a few connections for some time (`--connections`,
//! `--query-us`): by default 8 at once, for 8 ms each and what the timer adds. A search counts as
//! three of them, the report as fifty.

use shop::{BoxError, HELP, Options, check, serve};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut words = std::env::args().skip(1).peekable();
    match words.peek().map(String::as_str) {
        Some("--help") => {
            println!("{HELP}");
            Ok(())
        }
        Some("--check") => ask_once().await,
        _ => run(&with_redis(Options::default()).read(words)?).await,
    }
}

/// The cache that the environment names.
fn with_redis(options: Options) -> Options {
    Options { cache: std::env::var("CACHE_URL").ok().or(options.cache), ..options }
}

async fn run(options: &Options) -> Result<(), BoxError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = |address| async move {
        println!("serving http://{address}");
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        println!("ending");
    };
    serve(options, stop).await
}

async fn ask_once() -> Result<(), BoxError> {
    let (tell, told) = oneshot::channel();
    let stop = |address| async move {
        // Nobody listens any more only if the service has ended.
        let _ = tell.send(check(address).await);
    };
    serve(&with_redis(Options::quiet()), stop).await?;
    told.await?
}
