//! How the service is run.

use std::path::PathBuf;
use std::time::Duration;

use crate::data::pool::Settings;
use crate::data::seed::Size;
use crate::serve::BoxError;

/// What `--help` prints.
pub const HELP: &str = "\
A web shop behind a cache, with a dashboard at its address.

  --address 127.0.0.1:3000   where to serve; port 0 is one that is free
  --database shop.db         an SQLite file; without it, there is a new one in each run
  --connections 8            how many queries the database works on at once
  --query-us 8000            microseconds for which each of them occupies its connection
  --traffic on|off           whether visitors of its own ask the service at first
  --check                    ask each endpoint once, and end

The cache is in this process, or in the Redis that CACHE_URL names (redis://127.0.0.1).";

/// How the service is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to serve.
    pub address: String,
    /// The URL of a Redis, or `memory:`; none for no cache at all.
    pub cache: Option<String>,
    /// The database.
    pub database: Settings,
    /// Whether visitors of its own ask the service at first.
    pub traffic: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:3000".to_owned(),
            cache: Some("memory:".to_owned()),
            database: Settings {
                path: None,
                connections: 8,
                query: Duration::from_millis(8),
                size: Size { products: 2_000, users: 500, sales: 10_000 },
            },
            traffic: true,
        }
    }
}

impl Options {
    /// On a free port, and with no visitors.
    #[must_use]
    pub fn quiet() -> Self {
        Self { address: "127.0.0.1:0".to_owned(), traffic: false, ..Self::default() }
    }

    /// From words of a command line; what is not said there stays as it is.
    ///
    /// # Errors
    ///
    /// If a word is unknown or a value cannot be read.
    pub fn read(mut self, mut words: impl Iterator<Item = String>) -> Result<Self, BoxError> {
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} needs a value; see --help"))?;
            let database = &mut self.database;
            match word.as_str() {
                "--address" => self.address = value,
                "--database" => database.path = Some(PathBuf::from(value)),
                "--connections" => database.connections = value.parse()?,
                "--query-us" => database.query = Duration::from_micros(value.parse()?),
                "--traffic" => self.traffic = on(&value)?,
                _ => return Err(format!("{word} is unknown; see --help").into()),
            }
        }
        Ok(self)
    }
}

fn on(value: &str) -> Result<bool, BoxError> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("{value:?} is neither on nor off").into()),
    }
}
