//! The services, and a Redis for them. Each is a child of this process and ends with it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use blog::{BoxError, Options};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How long a process may take to begin.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// A `redis-server` that keeps nothing on disk.
#[derive(Debug)]
pub(crate) struct Redis {
    _process: Child,
    port: u16,
}

impl Redis {
    pub(crate) async fn start(directory: &Path) -> Result<Self, BoxError> {
        // Free a moment ago: should somebody else take it now, the server ends.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .current_dir(directory)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("redis-server: {error}; --store memory needs none"))?;
        let connected = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, connected).await?;
        if let Some(status) = process.try_wait()? {
            return Err(format!("redis-server has ended: {status}").into());
        }
        Ok(Self { _process: process, port })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
