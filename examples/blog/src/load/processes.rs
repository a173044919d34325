//! The services. Each is a child of this process and ends with it.

use std::io;
use std::net::SocketAddr;
use std::process::Stdio;

use blog::{BoxError, Options};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A service in a process of its own.
#[derive(Debug)]
pub(crate) struct Service {
    process: Child,
    address: SocketAddr,
}

impl Service {
    pub(crate) async fn start(options: &Options) -> Result<Self, BoxError> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .args(options.words())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().ok_or("a pipe was asked for")?;
        let line = BufReader::new(stdout).lines().next_line().await?.unwrap_or_default();
        let address = line.strip_prefix("serving http://");
        let address = address.ok_or_else(|| format!("the service says {line:?}"))?.parse()?;
        Ok(Self { process, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets it end what it has begun.
    pub(crate) async fn stop(mut self) -> io::Result<()> {
        // Waiting closes its standard input, which it takes for the word to end.
        self.process.wait().await.map(drop)
    }
}
