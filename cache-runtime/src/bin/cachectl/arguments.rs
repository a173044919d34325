//! What can be written on the command line.

use clap::{Parser, Subcommand};

use crate::connection::Connection;
use crate::dead_letters::DeadLetters;
use crate::explain::Explain;
use crate::invalidate::Invalidate;
use crate::stats::Stats;
use crate::watch::Watch;

/// Look at the cache of a service, and act on it.
///
/// Keys and tags are written as the service's templates make them, without the namespace: `user:7`.
///
/// Exit status: 0 if all went well; 1 if the server could not be reached, refused, or has no such
/// thing; 2 if the command line makes no sense. Errors are told on stderr.
#[derive(Debug, Parser)]
#[command(name = "cachectl", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Print JSON, one object or list a line
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Explain(Explain),
    Invalidate(Invalidate),
    Stats(Stats),
    /// List the queues: how much they hold, how far their workers are behind
    Queues,
    /// Look at what a queue could not deliver, put it back, or drop it
    DeadLetters {
        #[command(subcommand)]
        command: DeadLetters,
    },
    Watch(Watch),
}
