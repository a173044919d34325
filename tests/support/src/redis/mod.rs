//! A real `redis-server` of one's own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use redis::ErrorKind;
use tempfile::TempDir;

use super::barrier::Patience;
use super::ports::Port;
use super::process::{self, Mortal};

mod builder;
mod client;
mod cluster;
mod program;
mod tls;

pub use crate::requires;
pub use builder::Builder;
pub use client::Client;
pub use cluster::{Backend, RedisCluster};
pub use program::Program;

const LOG: &str = "redis.log";

/// What the log of a server says that did not get its port.
const IN_USE: &str = "Address already in use";

/// A `redis-server` on a port and in a directory of its own. It ends with this value.
#[derive(Debug)]
pub struct RedisServer {
    // Dropped in this order: the process before its directory and its port.
    running: Mutex<Option<Mortal>>,
    directory: TempDir,
    port: Port,
    options: Builder,
}

/// What a restarted server finds on its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Everything that it had acknowledged; the server must be [`Builder::durable`].
    Kept,
    /// Nothing.
    Lost,
}

impl RedisServer {
    /// Starts a server with nothing special about it.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A server with settings of its own.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The port of 127.0.0.1; that of TLS if the server speaks TLS.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Where clients connect, with the password if there is one.
    pub fn url(&self) -> String {
        self.url_at(self.port())
    }

    /// The same server, reached through another port: that of a proxy.
    pub fn url_at(&self, port: u16) -> String {
        match &self.options.password {
            Some(password) => self.url_with(&format!(":{password}@"), port),
            None => self.url_with("", port),
        }
    }

    /// Where clients connect who say that they are `user`.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        self.url_with(&format!("{user}:{password}@"), self.port())
    }

    /// Where clients connect who do not say who they are.
    pub fn url_without_password(&self) -> String {
        self.url_with("", self.port())
    }

    fn url_with(&self, credentials: &str, port: u16) -> String {
        let scheme = if self.options.tls { "rediss" } else { "redis" };
        format!("{scheme}://{credentials}127.0.0.1:{port}/")
    }

    /// The URL of its Unix socket.
    pub fn unix_url(&self) -> String {
        let socket = self.path(builder::SOCKET);
        match &self.options.password {
            Some(password) => format!("redis+unix://{}?pass={password}", socket.display()),
            None => format!("redis+unix://{}", socket.display()),
        }
    }

    /// Where its settings, its log (`redis.log`) and its data are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The certificate (PEM) of the authority that has signed a TLS server's certificate.
    pub fn ca_certificate(&self) -> PathBuf {
        self.path(tls::CA_CERTIFICATE)
    }

    /// A connection of another client, for raw commands. It comes in by the Unix socket as the
    /// default user, so that neither TLS nor a proxy is in its way.
    pub async fn client(&self) -> Client {
        Client::connect(&self.unix_url()).await
    }

    /// Calls per command since the start or the last [`RedisServer::reset_commandstats`], by the
    /// lower-case name (`get`, `client|setinfo`). The commands of these two functions are left out.
    pub async fn commandstats(&self) -> BTreeMap<String, u64> {
        let text: String = self.client().await.run(&["INFO", "commandstats"]).await;
        let mut calls: BTreeMap<String, u64> = text.lines().filter_map(parse_commandstat).collect();
        calls.remove("info");
        calls.remove(Program::get().counts_as("config|resetstat"));
        calls
    }

    /// Begins the count of [`RedisServer::commandstats`] anew.
    pub async fn reset_commandstats(&self) {
        self.client().await.run::<()>(&["CONFIG", "RESETSTAT"]).await;
    }

    /// The process id. Fails if the server is down.
    pub fn pid(&self) -> u32 {
        self.with_running(|running| running.as_ref().expect("the server runs").pid())
    }

    /// SIGKILL. Returns when the process is gone; connecting is refused from then on, and nobody
    /// else gets the port.
    pub fn kill(&self) {
        drop(self.with_running(Option::take));
    }

    /// SIGSTOP: connections are accepted by the kernel, and nothing is answered.
    pub fn stop(&self) {
        process::stop(self.pid());
    }

    /// SIGCONT.
    pub fn cont(&self) {
        process::cont(self.pid());
    }

    /// Starts the server again on the same port, after a SIGKILL if it still runs.
    pub async fn restart(&self, data: Data) {
        self.kill();
        match data {
            Data::Kept => self.must_be_durable(),
            Data::Lost => self.forget_data(),
        }
        self.relaunch(LoadingIs::Waited).await;
    }

    /// Starts a durable server again with its data, and returns as soon as it answers at all, which
    /// is by `-LOADING` if it has enough to load: a setting `key-load-delay 200` makes it pause for
    /// 200 us after each key, and it answers after every 1,024 of them.
    pub async fn restart_loading(&self) {
        self.must_be_durable();
        self.relaunch(LoadingIs::AnAnswer).await;
    }

    fn must_be_durable(&self) {
        assert!(self.options.durable, "this server does not keep its data");
    }

    async fn relaunch(&self, loading: LoadingIs) {
        let patience = Patience::new();
        loop {
            self.launch().await;
            match self.answers(loading).await {
                Ok(()) => return,
                // Somebody who knows nothing of our reservations has the port for a moment.
                Err(log) if log.contains(IN_USE) => patience.pause("the port is free").await,
                Err(log) => panic!("redis-server did not restart: {log}"),
            }
        }
    }

    async fn launch(&self) {
        self.kill();
        self.options.write_config(self.directory(), self.port()).await;
        let program = &Program::get().path;
        // What is wrong with its settings, the server says on stderr only.
        let log = File::create(self.path(LOG)).expect("a writable directory");
        let mut command = Command::new(program);
        command
            .arg(builder::CONFIG)
            .args(self.options.is_sentinel.then_some("--sentinel"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("an open file"))
            .stderr(log);
        let server = Mortal::spawn(&mut command, self.directory());
        let server = server.unwrap_or_else(|error| {
            panic!("cannot start {program} ({error}); `tests/run` installs what the tests need")
        });
        self.with_running(|running| *running = Some(server));
    }

    /// Waits for an answer. The Unix socket lies in a directory of our own, so whoever answers is
    /// the server just started; and it answers only after it has bound its port.
    async fn answers(&self, loading: LoadingIs) -> Result<(), String> {
        let patience = Patience::new();
        loop {
            let answer = match Client::try_connect(&self.unix_url()).await {
                Ok(client) => client.try_run::<String>(&["PING"]).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(_) => return Ok(()),
                Err(error) if loading == LoadingIs::AnAnswer && is_loading(&error) => return Ok(()),
                Err(_) => {}
            }
            if self.with_running(|running| running.as_mut().is_none_or(Mortal::has_ended)) {
                return Err(fs::read_to_string(self.path(LOG)).unwrap_or_default());
            }
            patience.pause("redis-server answers").await;
        }
    }

    fn forget_data(&self) {
        // Errors mean that there was nothing to forget.
        let _ = fs::remove_dir_all(self.path(builder::APPENDONLY));
        let _ = fs::remove_file(self.path(builder::APPENDONLY_BEFORE_7));
        let _ = fs::remove_file(self.path("dump.rdb"));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    fn with_running<T>(&self, look: impl FnOnce(&mut Option<Mortal>) -> T) -> T {
        look(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LoadingIs {
    AnAnswer,
    Waited,
}

fn is_loading(error: &redis::RedisError) -> bool {
    error.kind() == ErrorKind::Server(redis::ServerErrorKind::BusyLoading)
}

/// `cmdstat_get:calls=1,usec=2,...`
fn parse_commandstat(line: &str) -> Option<(String, u64)> {
    let (name, fields) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
    let (calls, _) = fields.split_once(',')?;
    Some((name.to_owned(), calls.parse().ok()?))
}
