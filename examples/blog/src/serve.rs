//! One process of the service: how it is told what to be, how it begins and how it ends.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cache_runtime::Cache;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::database::{DbPool, Settings};
use crate::http::Service;
use crate::seed::Size;
use crate::types::Counted;
use crate::variant::{Data, Variant};

/// An error of any kind, which ends the program.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How the service is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is cached.
    pub variant: Variant,
    /// Where: the URL of a Redis, or `memory:`.
    pub cache: String,
    /// The database.
    pub database: Settings,
}

impl Options {
    /// What is not said otherwise, with a database at `path`.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self {
            variant: Variant::Rows,
            cache: "memory:".to_owned(),
            database: Settings {
                path,
                connections: 4,
                statement: Duration::from_millis(2),
                size: Size { users: 1000, articles: 5000, tags: 50 },
            },
        }
    }

    /// As words of a command line.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let Self { variant, cache, database } = self;
        let Settings { path, connections, statement, size } = database;
        let Size { users, articles, tags } = size;
        let words = [
            ("--variant", variant.to_string()),
            ("--cache", cache.clone()),
            ("--database", path.display().to_string()),
            ("--connections", connections.to_string()),
            ("--statement-us", statement.as_micros().to_string()),
            ("--users", users.to_string()),
            ("--articles", articles.to_string()),
            ("--tags", tags.to_string()),
        ];
        words.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
    }

    /// From words of a command line; what is not said there stays as it is.
    ///
    /// # Errors
    ///
    /// If a word is unknown or a value cannot be read.
    pub fn read(mut self, mut words: impl Iterator<Item = String>) -> Result<Self, BoxError> {
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            let database = &mut self.database;
            match word.as_str() {
                "--variant" => self.variant = value.parse()?,
                "--cache" => self.cache = value,
                "--database" => database.path = value.into(),
                "--connections" => database.connections = value.parse()?,
                "--statement-us" => database.statement = Duration::from_micros(value.parse()?),
                "--users" => database.size.users = value.parse()?,
                "--articles" => database.size.articles = value.parse()?,
                "--tags" => database.size.tags = value.parse()?,
                _ => return Err(format!("{word} is unknown; {:?} are not", self.words()).into()),
            }
        }
        Ok(self)
    }
}

/// Serves on a free port of 127.0.0.1 until `stop` ends, which is told the address. Returns what
/// was counted.
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
    stop: impl FnOnce(SocketAddr) -> F,
) -> Result<Counted, BoxError> {
    let Options { variant, cache, database } = options;
    let db = DbPool::open(database).await?;
    // Services of one variant share their entries, if they share the store.
    let cache = Cache::builder().namespace(format!("blog:{variant}")).connect(cache)?;
    cache.install();
    let service =
        Service { data: Data { db: db.clone(), variant: *variant }, cache: cache.clone() };

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let stop = stop(listener.local_addr()?);
    let router = service.clone().router();
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;

    // In this order: requests have ended by now; then what they left to do in the background, which
    // may still need the database; then the database.
    cache.shutdown().await?;
    let counted = service.counted();
    db.close().await;
    Ok(counted)
}

/// Serves as a child process does: says its address, and stops when its standard input ends, which
/// the end of its parent brings about, too.
///
/// # Cancel safety
///
/// That of [`serve`].
///
/// # Errors
///
/// Those of [`serve`].
pub async fn serve_as_child(options: &Options) -> Result<(), BoxError> {
    let stop = |address| async move {
        println!("serving http://{address}");
        let mut rest = Vec::new();
        // An error is an end, too.
        let _ = tokio::io::stdin().read_to_end(&mut rest).await;
    };
    serve(options, stop).await.map(drop)
}
