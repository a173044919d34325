//! The settings of a server, and its start.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use super::{IN_USE, LoadingIs, RedisServer, tls};
use crate::ports::Port;

pub(super) const CONFIG: &str = "redis.conf";
pub(super) const SOCKET: &str = "redis.sock";
pub(super) const APPENDONLY: &str = "appendonlydir";
pub(super) const APPENDONLY_BEFORE_7: &str = "appendonly.aof";

/// How often a start on another port is tried. Ports are reserved among the tests; this is for
/// programs that know nothing of that.
const ATTEMPTS: usize = 10;

/// Settings of a [`RedisServer`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    pub(super) durable: bool,
    pub(super) is_sentinel: bool,
    pub(super) password: Option<String>,
    pub(super) settings: Vec<String>,
    pub(super) tls: bool,
}

impl Builder {
    /// One line of `redis.conf`, for example `maxmemory 2mb`.
    #[must_use]
    pub fn setting(mut self, line: &str) -> Self {
        self.settings.push(line.to_owned());
        self
    }

    /// Clients must give this password. Only characters that need no escape in a URL.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self.setting(&format!("requirepass {password}"))
    }

    /// Another user, by the rules of an ACL file: `user("limited", "on >secret ~* +@all -eval")`.
    #[must_use]
    pub fn user(self, name: &str, rules: &str) -> Self {
        self.setting(&format!("user {name} {rules}"))
    }

    /// Every write is on the disk before it is acknowledged, so that a restart can keep the data.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self.setting("appendonly yes").setting("appendfsync always")
    }

    /// The port speaks TLS, with a certificate for 127.0.0.1 from an authority made for this
    /// server.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// A sentinel that watches the primary at `port` of 127.0.0.1 under the name `main`. It takes
    /// so many to agree that the primary is down.
    #[must_use]
    pub fn sentinel(mut self, port: u16, quorum: u32) -> Self {
        self.is_sentinel = true;
        self.setting(&format!("sentinel monitor main 127.0.0.1 {port} {quorum}"))
            // A busy machine is no failure.
            .setting("sentinel down-after-milliseconds main 5000")
            .setting("sentinel failover-timeout main 6000")
    }

    /// A server that is down: it has its port and its URL, and [`RedisServer::restart`] starts it.
    pub fn down(self) -> RedisServer {
        RedisServer {
            running: Mutex::new(None),
            directory: tempfile::Builder::new()
                .prefix("cache-test-")
                .tempdir()
                .expect("a temporary directory"),
            port: Port::reserve(),
            options: self,
        }
    }

    /// Starts the server and waits until it answers.
    pub async fn start(self) -> RedisServer {
        for _ in 0..ATTEMPTS {
            let server = self.clone().down();
            server.launch().await;
            match server.answers(LoadingIs::Waited).await {
                Ok(()) => return server,
                Err(log) if log.contains(IN_USE) => {}
                Err(log) => panic!("redis-server did not start: {log}"),
            }
        }
        panic!("redis-server found its port in use {ATTEMPTS} times");
    }

    pub(super) async fn write_config(&self, directory: &Path, port: u16) {
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            "daemonize no".to_owned(),
            "save \"\"".to_owned(),
            format!("unixsocket {SOCKET}"),
            "unixsocketperm 700".to_owned(),
        ];
        if self.tls {
            tls::make_certificates(directory).await;
            lines.push(format!("port 0\ntls-port {port}"));
            lines.push(tls::SETTINGS.to_owned());
        } else {
            lines.push(format!("port {port}"));
        }
        // Last, so that a test can override what is above.
        lines.extend(self.settings.iter().cloned());
        fs::write(directory.join(CONFIG), lines.join("\n") + "\n").expect("a writable directory");
    }
}
