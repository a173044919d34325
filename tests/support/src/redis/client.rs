//! Raw commands of another client.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, IntoConnectionInfo,
    RedisResult, ServerErrorKind, ToRedisArgs,
};

use crate::LIMIT;

/// A plain connection that knows nothing of the cache. Its methods fail the test on an error.
#[derive(Clone, Debug)]
pub struct Client(MultiplexedConnection);

impl Client {
    /// Connects, by any URL that the `redis` crate understands.
    pub async fn connect(url: &str) -> Self {
        match Self::try_connect(url).await {
            Ok(client) => client,
            Err(error) => panic!("connecting to {url}: {error}"),
        }
    }

    /// Connects, and says why not.
    pub async fn try_connect(url: &str) -> RedisResult<Self> {
        let info: ConnectionInfo = url.into_connection_info()?;
        // The name of the library would be a command more in the server's statistics.
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(LIMIT))
            .set_response_timeout(Some(LIMIT));
        redis::Client::open(info.set_redis_settings(settings))?
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map(Self)
    }

    /// The connection itself, for commands with binary arguments.
    pub fn connection(&self) -> MultiplexedConnection {
        self.0.clone()
    }

    /// Runs one command, for example `run(&["CLIENT", "PAUSE", "100"])`.
    pub async fn run<T: FromRedisValue>(&self, words: &[&str]) -> T {
        match self.try_run(words).await {
            Ok(reply) => reply,
            Err(error) => panic!("{words:?}: {error}"),
        }
    }

    /// Runs one command, and gives the error if that is the reply. In a cluster it is run on the
    /// node that has the key.
    pub async fn try_run<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        match self.run_here(words).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Moved) => {
                let (node, _) = error.redirect_node().expect("an address");
                Self::try_connect(&format!("redis://{node}")).await?.run_here(words).await
            }
            reply => reply,
        }
    }

    /// Runs one command with arguments of any type on this very node.
    pub async fn call<T: FromRedisValue>(&self, name: &str, arguments: impl ToRedisArgs) -> T {
        match self.try_call(name, arguments).await {
            Ok(reply) => reply,
            Err(error) => panic!("{name}: {error}"),
        }
    }

    /// The same, and gives the error if that is the reply.
    pub async fn try_call<T: FromRedisValue>(
        &self,
        name: &str,
        arguments: impl ToRedisArgs,
    ) -> RedisResult<T> {
        redis::cmd(name).arg(arguments).query_async(&mut self.connection()).await
    }

    /// Runs one command on this very node.
    pub async fn run_here<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let mut command = Cmd::new();
        for word in words {
            command.arg(word);
        }
        command.query_async(&mut self.connection()).await
    }

    /// `GET`
    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.run(&["GET", key]).await
    }

    /// `SET`, with any bytes.
    pub async fn set(&self, key: &str, value: impl AsRef<[u8]>) {
        let mut command = redis::cmd("SET");
        command.arg(key).arg(value.as_ref());
        match command.query_async(&mut self.connection()).await {
            Ok(()) => {}
            Err(error) => panic!("SET {key}: {error}"),
        }
    }

    /// `DEL`; whether the key was there.
    pub async fn del(&self, key: &str) -> bool {
        self.run(&["DEL", key]).await
    }

    /// `UNLINK`; whether the key was there.
    pub async fn unlink(&self, key: &str) -> bool {
        self.run(&["UNLINK", key]).await
    }

    /// `PTTL`: what is left of the key's life, `None` if it has no end or is not there.
    pub async fn pttl(&self, key: &str) -> Option<Duration> {
        let left: i64 = self.run(&["PTTL", key]).await;
        u64::try_from(left).ok().map(Duration::from_millis)
    }

    /// Every key of the server, sorted.
    pub async fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.run(&["KEYS", "*"]).await;
        keys.sort();
        keys
    }

    /// `FLUSHALL`
    pub async fn flush_all(&self) {
        self.run::<()>(&["FLUSHALL"]).await;
    }

    /// `SCRIPT FLUSH`
    pub async fn script_flush(&self) {
        self.run::<()>(&["SCRIPT", "FLUSH"]).await;
    }

    /// `CONFIG SET`
    pub async fn config_set(&self, name: &str, value: &str) {
        self.run::<()>(&["CONFIG", "SET", name, value]).await;
    }
}
