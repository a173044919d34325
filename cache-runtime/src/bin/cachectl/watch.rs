//! `cachectl watch`

use std::fmt::{self, Display, Formatter};
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use cache_runtime::Cache;
use cache_runtime::inspect::ServerStatus;
use cache_runtime::queue::QueueSummary;
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;
use crate::queues;
use crate::table::Table;
use crate::units::{bytes, time};

/// Show the servers and the queues, again and again until Ctrl-C
#[derive(Args, Debug)]
pub(crate) struct Watch {
    /// How many seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    interval: u16,

    /// Look once. A server that does not answer is a failure then
    #[arg(long)]
    once: bool,
}

/// What there is to see.
#[derive(Debug, Serialize)]
struct View {
    servers: Vec<ServerStatus>,
    queues: Vec<QueueSummary>,
}

/// Nothing to see, and why.
#[derive(Debug, Serialize)]
struct Outage {
    error: String,
}

impl Watch {
    pub(crate) async fn run(self, cache: &Cache, output: Output) -> Result<(), Failure> {
        if self.once {
            let view = View::of(cache).await?;
            return output.print(&view, &view);
        }
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
            ended = self.look(cache, output) => ended,
        }
    }

    async fn look(self, cache: &Cache, output: Output) -> Result<(), Failure> {
        loop {
            let view = View::of(cache).await;
            if !output.json && io::stdout().is_terminal() {
                // To the upper left corner, and nothing below.
                io::stdout().write_all(b"\x1b[H\x1b[2J")?;
            }
            match view {
                Ok(view) => output.print(&view, &view)?,
                Err(error) => {
                    let error = error.to_string();
                    output.print(&Outage { error: error.clone() }, error)?;
                }
            }
            tokio::time::sleep(Duration::from_secs(self.interval.max(1).into())).await;
        }
    }
}

impl View {
    async fn of(cache: &Cache) -> Result<Self, cache_runtime::Error> {
        cache.ping().await?;
        Ok(Self { servers: cache.servers().await?, queues: cache.queues().await? })
    }
}

impl Display for View {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = ["server", "answers in", "keys", "memory", "evicted", "ops/s", "clients"];
        let mut servers = Table::new(head);
        for server in &self.servers {
            let memory = match server.max_memory_bytes {
                0 => bytes(server.memory_bytes),
                most => format!("{} of {}", bytes(server.memory_bytes), bytes(most)),
            };
            servers.row([
                format!("{} {}", server.address, server.version),
                time(server.round_trip),
                server.keys.to_string(),
                memory,
                server.evicted_keys.to_string(),
                server.commands_per_second.to_string(),
                server.clients.to_string(),
            ]);
        }
        write!(f, "{servers}")?;
        if self.queues.is_empty() {
            return Ok(());
        }
        write!(f, "\n{}", queues::table(&self.queues))
    }
}
