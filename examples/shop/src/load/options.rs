//! What is measured, and for how long.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use shop::BoxError;

pub(crate) const HELP: &str = "\
Asks the shop over HTTP without a cache, with one in its own memory and with a Redis of its own on
this machine, one after the other. Prints a table and draws a plot.

  --stores off,memory,redis   what to measure; all else is compared with the first
  --writes 5                  percent of the requests that write
  --clients 128               visitors, each of whom sends one request after the other
  --think-ms 500              milliseconds between an answer and the next request of a visitor
  --warm 5                    seconds before the measurement
  --measure 10                seconds of the measurement
  --connections 8             how many queries the database works on at once
  --query-us 20000            microseconds for which each of them occupies its connection
  --plot target/shop-load.svg where to draw

Products, users and pages are drawn by Zipf's law: the tenth as often as one in ten of the first.
SQLite takes microseconds for what a server across a network takes milliseconds; the database's
options say what it can do in a second, which is what the shop without a cache can do. 20 ms are
those of a page that joins a few tables, or sorts a few thousand rows. A search counts as three
queries, the report as fifty.";

/// Where the cache is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Off,
    Memory,
    Redis,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Off => "no cache",
            Self::Memory => "embedded store",
            Self::Redis => "Redis",
        })
    }
}

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) stores: Vec<Store>,
    /// In percent.
    pub(crate) writes: f64,
    pub(crate) clients: u64,
    pub(crate) think: Duration,
    pub(crate) warm: Duration,
    pub(crate) measure: Duration,
    pub(crate) connections: u32,
    pub(crate) query: Duration,
    pub(crate) plot: PathBuf,
}

impl Plan {
    /// None if help is asked for.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, BoxError> {
        let mut plan = Self {
            stores: vec![Store::Off, Store::Memory, Store::Redis],
            writes: 5.0,
            clients: 128,
            think: Duration::from_millis(500),
            warm: Duration::from_secs(5),
            measure: Duration::from_secs(10),
            connections: 8,
            query: Duration::from_millis(20),
            plot: PathBuf::from("target/shop-load.svg"),
        };
        while let Some(word) = words.next() {
            if word == "--help" {
                return Ok(None);
            }
            let value = words.next().ok_or_else(|| format!("{word} needs a value; see --help"))?;
            match word.as_str() {
                "--stores" => {
                    plan.stores = value.split(',').map(store).collect::<Result<_, _>>()?;
                }
                "--writes" => plan.writes = value.parse()?,
                "--clients" => plan.clients = value.parse()?,
                "--think-ms" => plan.think = Duration::from_millis(value.parse()?),
                "--warm" => plan.warm = Duration::try_from_secs_f64(value.parse()?)?,
                "--measure" => plan.measure = Duration::try_from_secs_f64(value.parse()?)?,
                "--connections" => plan.connections = value.parse()?,
                "--query-us" => plan.query = Duration::from_micros(value.parse()?),
                "--plot" => plan.plot = value.into(),
                _ => return Err(format!("{word} is unknown; see --help").into()),
            }
        }
        Ok(Some(plan))
    }
}

fn store(name: &str) -> Result<Store, BoxError> {
    match name {
        "off" => Ok(Store::Off),
        "memory" => Ok(Store::Memory),
        "redis" => Ok(Store::Redis),
        _ => Err(format!("{name:?} is no store; there are off, memory and redis").into()),
    }
}
