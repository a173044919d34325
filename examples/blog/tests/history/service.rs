//! The service in a process of its own.

use std::net::SocketAddr;
use std::process::Stdio;

use blog::Options;
use cache_testing::within_limit;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    pub(crate) async fn start(options: &Options) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_blog"))
            .arg("serve")
            .args(options.words())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = within_limit("the service begins", lines.next_line()).await.unwrap();
        let line = line.expect("the service says where it is");
        let address = line.strip_prefix("serving http://").expect("an address").parse().unwrap();
        Self { child, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets it end in good order.
    pub(crate) async fn finish(mut self) {
        // Waiting closes its standard input, which it takes for the word to end.
        let status = within_limit("the service ends", self.child.wait()).await.unwrap();
        assert!(status.success(), "{status}");
    }
}
