//! The service in a process of its own.

use std::net::SocketAddr;
use std::process::Stdio;

use cache_testing::{process, within_limit};
use serde::de::DeserializeOwned;
use shop::Tick;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use visitors::client::{Client, Request, Response};

use crate::metrics::Metrics;

/// It is killed with this value.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Without a Redis, and without visitors of its own.
    pub(crate) async fn start(words: &[&str]) -> Self {
        Self::with("memory:", words).await
    }

    /// With the cache at a URL.
    pub(crate) async fn with(cache: &str, words: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shop"))
            .args(["--address", "127.0.0.1:0", "--traffic", "off"])
            .args(words)
            .env("CACHE_URL", cache)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = within_limit("the service begins", lines.next_line()).await.unwrap();
        let line = line.expect("the service says where it is");
        let address = line.strip_prefix("serving http://").expect("an address").parse().unwrap();
        // What else it says is of no interest, but must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn client(&self) -> Visitor {
        Visitor(Client::connect(self.address).await.unwrap())
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        process::terminate(self.child.id().expect("it runs"));
    }

    /// Waits for its end, which must be in good order.
    pub(crate) async fn ended(mut self) {
        let status = within_limit("the service ends", self.child.wait()).await.unwrap();
        assert!(status.success(), "{status}");
    }

    pub(crate) async fn finish(self) {
        self.terminate();
        self.ended().await;
    }
}

/// Asks the service, one request after the other.
#[derive(Debug)]
pub(crate) struct Visitor(Client);

impl Visitor {
    pub(crate) async fn send(&mut self, request: &Request) -> Response {
        let response = within_limit("an answer", self.0.send(request)).await;
        response.unwrap_or_else(|error| panic!("{request}: {error}"))
    }

    pub(crate) async fn status(&mut self, method: &'static str, path: &str, body: &str) -> u16 {
        let request = Request::new(method, path, None);
        self.send(&Request { body: body.to_owned(), ..request }).await.status
    }

    pub(crate) async fn get<T: DeserializeOwned>(&mut self, path: &str) -> T {
        self.ask("GET", path, "").await
    }

    pub(crate) async fn ask<T: DeserializeOwned>(
        &mut self,
        method: &'static str,
        path: &str,
        body: &str,
    ) -> T {
        let request = Request { body: body.to_owned(), ..Request::new(method, path, None) };
        let response = self.send(&request).await;
        response.json().unwrap_or_else(|error| panic!("{request}: {error}"))
    }

    pub(crate) async fn metrics(&mut self) -> Metrics {
        let response = self.send(&Request::new("GET", "/metrics", None)).await;
        assert_eq!(response.status, 200);
        Metrics::parse(&String::from_utf8(response.body).unwrap())
    }

    /// How many queries the database was asked.
    pub(crate) async fn queries(&mut self) -> u64 {
        self.metrics().await.count("shop_database_queries_total")
    }

    /// What the dashboard was told last.
    pub(crate) async fn tick(&mut self) -> Tick {
        let ticks: Vec<Tick> = self.get("/dashboard/ticks").await;
        ticks.last().cloned().unwrap_or_default()
    }
}
