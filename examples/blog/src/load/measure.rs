//! Asking one service for some time, and what came of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use blog::types::Counted;
use blog::{BoxError, Size};
use tokio::task::JoinSet;
use visitors::client::{Client, Request};
use visitors::dice::Dice;

use crate::mix::Mix;

/// One service under one mix of requests.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) address: SocketAddr,
    pub(crate) clients: usize,
    /// The share of requests that write.
    pub(crate) writes: f64,
    pub(crate) size: Size,
}

/// What was measured of a cell, in all rounds together.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) requests: u64,
    pub(crate) time: Duration,
    /// How long each read took.
    pub(crate) reads: Vec<Duration>,
    pub(crate) statements: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

impl Measured {
    pub(crate) fn add(&mut self, mut other: Self) {
        self.requests += other.requests;
        self.time += other.time;
        self.reads.append(&mut other.reads);
        self.statements += other.statements;
        self.hits += other.hits;
        self.misses += other.misses;
    }
}

impl Cell {
    /// Asks for so long. Every run draws other requests.
    pub(crate) async fn run(&self, time: Duration) -> Result<Measured, BoxError> {
        static SEED: AtomicU64 = AtomicU64::new(1);
        let mix = Arc::new(Mix::new(self.size, self.writes));
        let mut clients = JoinSet::new();
        let mut counting = Client::connect(self.address).await?;
        let before = counted(&mut counting).await?;
        let begin = Instant::now();
        for _ in 0..self.clients {
            let seed = SEED.fetch_add(1, Ordering::Relaxed);
            clients.spawn(ask(self.address, Arc::clone(&mix), Dice::new(seed << 32), begin + time));
        }
        let mut measured = Measured::default();
        while let Some(asked) = clients.join_next().await {
            let (requests, mut reads) = asked??;
            measured.requests += requests;
            measured.reads.append(&mut reads);
        }
        measured.time = begin.elapsed();
        let after = counted(&mut counting).await?;
        measured.statements = after.statements - before.statements;
        measured.hits = after.hits - before.hits;
        measured.misses = after.misses - before.misses;
        Ok(measured)
    }
}

/// One request after the other. Returns how many there were, and how long those took that read.
async fn ask(
    address: SocketAddr,
    mix: Arc<Mix>,
    mut dice: Dice,
    end: Instant,
) -> io::Result<(u64, Vec<Duration>)> {
    let mut client = Client::connect(address).await?;
    let (mut requests, mut reads) = (0, Vec::new());
    while Instant::now() < end {
        let (request, is_read) = mix.draw(&mut dice);
        let begin = Instant::now();
        let response = client.send(&request).await?;
        if response.status != 200 {
            return Err(io::Error::other(format!("{request}: status {}", response.status)));
        }
        requests += 1;
        if is_read {
            reads.push(begin.elapsed());
        }
    }
    Ok((requests, reads))
}

async fn counted(client: &mut Client) -> io::Result<Counted> {
    client.send(&Request::new("GET", "/counted", None)).await?.json()
}
