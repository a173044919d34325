//! What is measured, and for how long.

use std::time::Duration;

use blog::{BoxError, Options};

use crate::measure::Cell;
use crate::processes::Service;

pub(crate) const HELP: &str = "\
Starts the service in each of its variants and asks it over HTTP, as fast as it answers.

  --store redis|memory   where the cache is: a redis-server of its own (redis), or in the service
  --writes 0.1,0.5,2,5   percent of the requests that write
  --clients 64           connections that ask, each one request after the other
  --warm 4               seconds before the measurement, for each variant and share of writes
  --round 3              seconds of a round
  --rounds 2             rounds, in which the variants take turns
  --connections 4        how many statements the database works on at once
  --statement-us 2000    microseconds for which each of them occupies its connection

SQLite takes microseconds for what a server across a network takes milliseconds; the last two say
what the database can do in a second, which is what a service without a cache can do.";

/// Where the cache is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Redis,
    Memory,
}

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) store: Store,
    /// In percent.
    pub(crate) writes: Vec<f64>,
    pub(crate) clients: usize,
    pub(crate) warm: Duration,
    pub(crate) round: Duration,
    pub(crate) rounds: u32,
    pub(crate) connections: u32,
    pub(crate) statement: Duration,
    pub(crate) base: Options,
}

impl Plan {
    /// None if help is asked for.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, BoxError> {
        let base = Options::at("blog.db".into());
        let mut plan = Self {
            store: Store::Redis,
            writes: vec![0.1, 0.5, 2.0, 5.0],
            clients: 64,
            warm: Duration::from_secs(4),
            round: Duration::from_secs(3),
            rounds: 2,
            connections: base.database.connections,
            statement: base.database.statement,
            base,
        };
        while let Some(word) = words.next() {
            if word == "--help" {
                return Ok(None);
            }
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--store" => plan.store = store(&value)?,
                "--writes" => {
                    plan.writes = value.split(',').map(str::parse).collect::<Result<_, _>>()?;
                }
                "--clients" => plan.clients = value.parse()?,
                "--warm" => plan.warm = Duration::try_from_secs_f64(value.parse()?)?,
                "--round" => plan.round = Duration::try_from_secs_f64(value.parse()?)?,
                "--rounds" => plan.rounds = value.parse()?,
                "--connections" => plan.connections = value.parse()?,
                "--statement-us" => plan.statement = Duration::from_micros(value.parse()?),
                _ => return Err(format!("{word} is unknown; see --help").into()),
            }
        }
        Ok(Some(plan))
    }

    /// What is asked of one service.
    pub(crate) fn cell(&self, service: &Service, writes: f64) -> Cell {
        Cell {
            address: service.address(),
            clients: self.clients,
            writes: writes / 100.0,
            size: self.base.database.size,
        }
    }
}

fn store(name: &str) -> Result<Store, BoxError> {
    match name {
        "redis" => Ok(Store::Redis),
        "memory" => Ok(Store::Memory),
        _ => Err(format!("{name:?} is no store; there are redis and memory").into()),
    }
}
