//! A service of the shape of a blog platform: users, profiles and follows, articles with tags and
//! favourites, comments, a feed. It is here to show what decides how much a cache saves: not the
//! cache, but what a write has to throw away.
//!
//! `cargo run -p blog` asks itself a few questions and ends.
//!
//! # Four variants
//!
//! - `plain`: nothing is cached.
//! - `global`: whole answers are, for each viewer, under tags that all of them share. It is what
//!   one line per function gives to a service as it stands: `global.rs`. A favourite throws away
//!   every list of every viewer.
//! - `told`: the same whole answers, which tell their tags themselves: `told.rs`. A favourite throws
//!   away the lists that show the article, and those of its viewer.
//! - `rows`: lists are cached as ids; rows are, for all lists and all viewers together; and what
//!   depends on the viewer is, in sets of ids beside them. A favourite throws away one row and one
//!   set. In `rows/entries.rs` is what is cached, in `rows/writes.rs` what each write touches, and
//!   in `rows/mod.rs` how an answer is put together.
//!
//! The statements are in `sql/`, once.
//!
//! # To run it
//!
//! - `cargo run -p blog -- serve --variant rows --cache redis://127.0.0.1` serves until its
//!   standard input ends (Ctrl+D), and says at which address.
//! - `cargo run -p blog --release --bin blog-load -- --help` measures the four variants.
//! - `cargo test -p blog` has two processes on one Redis, which is killed, frozen and emptied
//!   meanwhile: no read is stale.
//!
//! The database is SQLite, whose statements cost next to nothing beside those of a server across a
//! network. So each of them occupies one of few connections for some time (`--connections`,
//! `--statement-us`): by default 4 at once, for 2 ms each and what the timer adds.

use std::net::SocketAddr;

use blog::types::Counted;
use blog::{BoxError, Options, Scratch, serve, serve_as_child};
use visitors::client::{Client, Request};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        None => demonstrate().await,
        Some("serve") => serve_as_child(&Options::at("blog.db".into()).read(words)?).await,
        Some(other) => Err(format!("{other:?} is unknown; write `serve`, or nothing").into()),
    }
}

async fn demonstrate() -> Result<(), BoxError> {
    let scratch = Scratch::new()?;
    let mut options = Options::at(scratch.path().join("blog.db"));
    options.cache = std::env::var("CACHE_URL").unwrap_or(options.cache);
    let stop = |address| async move {
        if let Err(error) = visit(address).await {
            eprintln!("{error}");
        }
    };
    let Counted { statements, hits, misses, .. } = serve(&options, stop).await?;
    println!("in all {statements} statements, {hits} hits, {misses} misses");
    Ok(())
}

/// Visitors, for the sake of the example.
async fn visit(address: SocketAddr) -> Result<(), BoxError> {
    let mut client = Client::connect(address).await?;
    let counted = Request::new("GET", "/counted", None);
    let mut before: Counted = client.send(&counted).await?.json()?;
    println!("{:38} status  bytes  statements  hits  misses", "");
    for request in requests() {
        let response = client.send(&request).await?;
        let after: Counted = client.send(&counted).await?.json()?;
        println!(
            "{request:38} {:6} {:6} {:11} {:5} {:7}",
            response.status,
            response.body.len(),
            after.statements - before.statements,
            after.hits - before.hits,
            after.misses - before.misses,
        );
        before = after;
    }
    Ok(())
}

fn requests() -> Vec<Request> {
    let get = |path: &str, viewer| Request::new("GET", path, viewer);
    vec![
        get("/articles", None),
        get("/articles", None),
        // The rows are there by now; only what depends on the viewer is not.
        get("/articles", Some(7)),
        get("/articles", Some(7)),
        // Touches the row, and the favourites of user 7.
        Request::new("POST", "/articles/4990/favourite", Some(7)),
        get("/articles", Some(7)),
        get("/articles", None),
        get("/articles/4990", Some(8)),
        get("/articles/4990/comments", None),
        Request {
            body: "Well said.".to_owned(),
            ..Request::new("POST", "/articles/4990/comments", Some(8))
        },
        get("/articles/4990/comments", None),
        get("/feed", Some(7)),
        get("/feed", Some(7)),
        get("/profiles/8", Some(7)),
        get("/articles?tag=t1", Some(7)),
    ]
}
