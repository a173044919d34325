//! A real server for one test.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_testing::ports::Port;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, FromRedisValue, ToRedisArgs};

/// Far longer than anything takes on any machine.
pub(super) const LIMIT: Duration = Duration::from_secs(120);

/// The server that is started: that of the tests in `tests`.
fn program() -> String {
    std::env::var("CACHE_TEST_REDIS_SERVER").unwrap_or("redis-server".to_owned())
}

/// Whether it is a Redis before version 7.
pub(super) fn is_before_7() -> bool {
    let output = Command::new(program()).arg("--version").output().expect("it is installed");
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    ["v=5.", "v=6."].iter().any(|old| version.contains(&format!("Redis server {old}")))
}

/// A server with a directory of its own; both go with the guard.
pub(super) struct Server {
    process: Option<Child>,
    directory: PathBuf,
    pub(super) port: u16,
    _reservation: Port,
    /// Lines of its configuration.
    options: Vec<String>,
    is_sentinel: bool,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(super) async fn start_with(options: &[&str]) -> Self {
        let mut server = Self::reserve(options);
        server.restart().await;
        server
    }

    /// A sentinel that watches the primary at `port` under the name `main`, and needs a second opinion.
    pub(super) async fn sentinel(port: u16) -> Self {
        let mut sentinel = Self::reserve(&[
            &format!("sentinel monitor main 127.0.0.1 {port} 2"),
            // A busy machine is no failure.
            "sentinel down-after-milliseconds main 3000",
            "sentinel failover-timeout main 6000",
        ]);
        sentinel.is_sentinel = true;
        sentinel.restart().await;
        sentinel
    }

    /// A server to be started later, on a port that nobody else takes.
    pub(super) fn reserve(options: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory =
            std::env::temp_dir().join(format!("cache-test-{}-{number}", std::process::id()));
        // What a process that was killed has left, whose number is ours now.
        _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        let reservation = Port::reserve();
        let port = reservation.number();
        let options = options.iter().map(ToString::to_string).collect();
        Self {
            process: None,
            directory,
            port,
            _reservation: reservation,
            options,
            is_sentinel: false,
        }
    }

    /// Starts the process, and waits until it answers.
    pub(super) async fn restart(&mut self) {
        self.write_config();
        self.spawn();
        let (client, begin) = (redis::Client::open(self.url()).unwrap(), Instant::now());
        while client.get_multiplexed_async_connection().await.is_err() {
            assert!(begin.elapsed() < LIMIT, "the server does not answer");
            // Somebody who knows nothing of reservations had the port for a moment.
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            if ended.is_some() {
                self.spawn();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A file, not arguments: sentinels write to theirs.
    fn file(&self) -> PathBuf {
        self.directory.join("redis.conf")
    }

    fn write_config(&self) {
        let mut lines =
            format!("bind 127.0.0.1\nport {}\ndir {}\n", self.port, self.directory.display());
        for option in &self.options {
            writeln!(lines, "{option}").unwrap();
        }
        if !self.is_sentinel {
            let socket = self.socket();
            write!(lines, "unixsocket {}\nsave \"\"\nappendonly no\n", socket.display()).unwrap();
        }
        std::fs::write(self.file(), lines).unwrap();
    }

    fn spawn(&mut self) {
        let process = Command::new(program())
            .arg(self.file())
            .args(self.is_sentinel.then_some("--sentinel"))
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        self.process = Some(process);
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Stops the process from running, until [`thaw`](Self::thaw).
    pub(super) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(super) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(super) fn socket(&self) -> PathBuf {
        Path::new(&self.directory).join("redis.sock")
    }

    /// A connection of another client.
    pub(super) async fn other(&self) -> Other {
        self.try_other().await.unwrap()
    }

    pub(super) async fn try_other(&self) -> redis::RedisResult<Other> {
        let client = redis::Client::open(self.url())?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(LIMIT))
            .set_response_timeout(Some(LIMIT));
        client.get_multiplexed_async_connection_with_config(&config).await.map(Other)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Somebody else's connection to the server.
pub(super) struct Other(MultiplexedConnection);

impl Other {
    pub(super) async fn run<T: FromRedisValue>(&mut self, name: &str, args: impl ToRedisArgs) -> T {
        self.try_run(name, args).await.unwrap()
    }

    pub(super) async fn try_run<T: FromRedisValue>(
        &mut self,
        name: &str,
        args: impl ToRedisArgs,
    ) -> redis::RedisResult<T> {
        redis::cmd(name).arg(args).query_async(&mut self.0).await
    }
}

/// Waits until `condition` holds.
pub(super) async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, holds).await.is_ok(), "never: {what}");
}
