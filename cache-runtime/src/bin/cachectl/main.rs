//! `cachectl`: what operators ask and do, from the command line.
//!
//! It uses the public surface of `cache-runtime` alone, and knows no function of the service whose
//! cache it looks at: keys and tags are texts here.

mod arguments;
mod confirmation;
mod connection;
mod dead_letters;
mod explain;
mod failure;
mod invalidate;
mod output;
mod progress;
mod queues;
mod stats;
mod table;
mod units;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(Failure::Failed(error.to_string())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { connection, json, command } = arguments;
    let (cache, output) = (connection.cache()?, Output { json });
    match command {
        Command::Explain(explain) => explain.run(&cache, output).await,
        Command::Invalidate(invalidate) => invalidate.run(&cache, output).await,
        Command::Stats(stats) => stats.run(&cache, output).await,
        Command::Queues => queues::run(&cache, output).await,
        Command::DeadLetters { command } => command.run(&cache, output).await,
        Command::Watch(watch) => watch.run(&cache, output).await,
    }
}
