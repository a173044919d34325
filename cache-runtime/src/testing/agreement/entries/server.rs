//! A `redis-server` of one's own, reached by a Unix socket: no port is needed.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use redis::Connection;

/// The process and its directory; both go with this value.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    directory: PathBuf,
}

impl Server {
    /// Starts a server, and waits until it answers.
    pub(crate) fn start() -> (Self, Connection) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (pid, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(format!("cache-agreement-{pid}-{number}"));
        // What a process that was killed has left, whose number is ours now.
        _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        let program = std::env::var("CACHE_TEST_REDIS_SERVER").unwrap_or("redis-server".to_owned());
        let process = Command::new(program)
            .args(["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--dir"])
            .arg(&directory)
            .current_dir(&directory)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let mut server = Self { process, directory };
        let connection = server.connect();
        (server, connection)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}/redis.sock", self.directory.display())
    }

    fn connect(&mut self) -> Connection {
        let client = redis::Client::open(self.url()).unwrap();
        let begin = Instant::now();
        loop {
            match client.get_connection() {
                Ok(connection) => return connection,
                Err(error) => {
                    let ended = self.process.try_wait().unwrap();
                    assert!(ended.is_none(), "redis-server has ended: {ended:?}");
                    assert!(begin.elapsed() < Duration::from_secs(120), "{error}");
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        _ = self.process.kill();
        _ = self.process.wait();
        _ = std::fs::remove_dir_all(&self.directory);
    }
}
