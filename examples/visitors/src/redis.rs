//! A Redis of one's own, which is a child of this process and ends with it.

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How long it may take to begin.
const PATIENCE: Duration = Duration::from_secs(30);

/// A `redis-server` that keeps nothing on disk.
#[derive(Debug)]
pub struct Redis {
    _process: Child,
    port: u16,
}

impl Redis {
    /// Starts one that works in `directory`, on a port that was free.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the server ends.
    ///
    /// # Errors
    ///
    /// If there is no such program, or it does not serve.
    pub async fn start(directory: &Path) -> io::Result<Self> {
        // Free a moment ago: should somebody else take it now, the server ends.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .current_dir(directory)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("redis-server: {error}")))?;
        let connected = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, connected).await?;
        if let Some(status) = process.try_wait()? {
            return Err(io::Error::other(format!("redis-server has ended: {status}")));
        }
        Ok(Self { _process: process, port })
    }

    /// Where clients connect.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
