//! A `redis-server` of its own on a free port, for as long as the bench runs.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Server {
    process: Child,
    url: String,
    _directory: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = port.expect("a free port").port().to_string();
        let process = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .current_dir(&directory)
            .stdout(Stdio::null())
            .spawn()
            .expect("`redis-server` in the PATH");
        let server =
            Self { process, url: format!("redis://127.0.0.1:{port}"), _directory: directory };
        server.answers();
        server
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// It answers nobody until it is thawed.
    pub(crate) fn freeze(&self) {
        kill_process(self.pid(), Signal::STOP).expect("a process that runs");
    }

    pub(crate) fn thaw(&self) {
        kill_process(self.pid(), Signal::CONT).expect("a process that is frozen");
        self.answers();
    }

    fn answers(&self) {
        let client = redis::Client::open(self.url.as_str()).expect("a Redis URL");
        let began = Instant::now();
        while client.get_connection().is_err() {
            assert!(began.elapsed() < PATIENCE, "redis-server does not answer at {}", self.url);
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where either fails the server is gone already.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
