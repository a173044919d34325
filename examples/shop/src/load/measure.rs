//! Visiting one service for some time, and what came of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shop::{BoxError, Mix};
use tokio::task::JoinSet;
use tokio::time::sleep;
use visitors::client::{Client, Request};
use visitors::dice::Dice;

use crate::progress::Progress;

/// Visitors of one service.
#[derive(Debug)]
pub(crate) struct Visits {
    address: SocketAddr,
    mix: Arc<Mix>,
    clients: u64,
    think: Duration,
}

/// What was measured of a service.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) requests: u64,
    pub(crate) queries: u64,
    pub(crate) time: Duration,
    /// How long each read took, from the shortest to the longest.
    pub(crate) reads: Vec<Duration>,
}

impl Measured {
    pub(crate) fn requests_per_second(&self) -> f64 {
        number(self.requests) / self.time.as_secs_f64()
    }

    pub(crate) fn queries_per_second(&self) -> f64 {
        number(self.queries) / self.time.as_secs_f64()
    }

    pub(crate) fn queries_per_request(&self) -> f64 {
        number(self.queries) / number(self.requests).max(1.0)
    }

    /// How long a read took of which this many in a thousand took less.
    pub(crate) fn quantile(&self, per_mille: usize) -> Duration {
        let at = (self.reads.len() * per_mille / 1000).min(self.reads.len().saturating_sub(1));
        self.reads.get(at).copied().unwrap_or_default()
    }
}

impl Visits {
    pub(crate) fn new(address: SocketAddr, mix: Mix, clients: u64, think: Duration) -> Self {
        Self { address, mix: Arc::new(mix), clients, think }
    }

    /// Visits for so long. Every run draws other requests, but the same for each service.
    pub(crate) async fn run(
        &self,
        time: Duration,
        progress: &Progress,
    ) -> Result<Measured, BoxError> {
        let mut counting = Client::connect(self.address).await?;
        let before = queries(&mut counting).await?;
        let begin = Instant::now();
        let mut visitors = JoinSet::new();
        for visitor in 0..self.clients {
            let dice = Dice::new((u64::from(time.subsec_nanos()) + time.as_secs() + visitor) << 32);
            let (address, mix, think) = (self.address, Arc::clone(&self.mix), self.think);
            visitors.spawn(visit(address, mix, dice, think, begin + time));
        }
        progress.during(time).await;
        let mut measured = Measured::default();
        while let Some(visited) = visitors.join_next().await {
            let (requests, mut reads) = visited??;
            measured.requests += requests;
            measured.reads.append(&mut reads);
        }
        measured.time = begin.elapsed();
        measured.queries = queries(&mut counting).await? - before;
        measured.reads.sort_unstable();
        Ok(measured)
    }
}

/// Returns how many requests there were, and how long those took that read.
async fn visit(
    address: SocketAddr,
    mix: Arc<Mix>,
    mut dice: Dice,
    think: Duration,
    end: Instant,
) -> io::Result<(u64, Vec<Duration>)> {
    let mut client = Client::connect(address).await?;
    let (mut requests, mut reads) = (0, Vec::new());
    // Not all at once at first.
    sleep(think.mul_f64(dice.share())).await;
    while Instant::now() < end {
        let (request, is_read) = mix.draw(&mut dice);
        let begin = Instant::now();
        let response = client.send(&request).await?;
        if response.status >= 500 {
            return Err(io::Error::other(format!("{request}: status {}", response.status)));
        }
        requests += 1;
        if is_read {
            reads.push(begin.elapsed());
        }
        sleep(think).await;
    }
    Ok((requests, reads))
}

/// How many queries the database has been asked so far.
async fn queries(client: &mut Client) -> Result<u64, BoxError> {
    let response = client.send(&Request::new("GET", "/metrics", None)).await?;
    let text = String::from_utf8(response.body)?;
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix("shop_database_queries_total "));
    Ok(value.ok_or("the service counts no queries")?.parse()?)
}

/// Counts of a few seconds, which fit.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
