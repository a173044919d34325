//! Opening sockets and logging in.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::cause::Cause;
use super::gather::Gathered;
use super::url::{Access, Endpoint};

/// Commands that may be queued in front of the socket: enough that callers do not take turns.
const QUEUE: usize = 1024;

/// A socket of one kind or another.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Opens a socket, with TLS where that is asked for.
pub(super) async fn dial(endpoint: &Endpoint, tls: bool) -> Result<Box<dyn Stream>, Cause> {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            // Commands are small, and a caller waits for each.
            stream.set_nodelay(true)?;
            match tls {
                false => Ok(Box::new(stream)),
                #[cfg(feature = "tls")]
                true => Ok(Box::new(super::tls::client(host, stream).await?)),
                #[cfg(not(feature = "tls"))]
                true => Err(Cause::Other("TLS is not compiled in")),
            }
        }
        #[cfg(unix)]
        Endpoint::Unix(path) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
        #[cfg(not(unix))]
        Endpoint::Unix(_) => Err(Cause::Other("this system has no Unix sockets")),
    }
}

/// The task that moves bytes between a connection's callers and its socket. Ends with this handle.
#[derive(Debug)]
pub(super) struct Driver(AbortHandle);

impl Driver {
    pub(super) fn stop(&self) {
        self.0.abort();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Logs in on a socket. `ended` is dropped when the connection ends, whatever the reason, even if its runtime is
/// gone.
pub(super) async fn log_in(
    stream: Box<dyn Stream>,
    login: &RedisConnectionInfo,
    config: AsyncConnectionConfig,
    ended: impl Send + 'static,
) -> Result<(MultiplexedConnection, Driver), Cause> {
    let config = config
        // Every call has a deadline of its own.
        .set_response_timeout(None)
        .set_pipeline_buffer_size(QUEUE);
    let (connection, traffic) =
        MultiplexedConnection::new_with_config(login, Gathered::new(stream), config).await?;
    let task = tokio::spawn(async move {
        let _ended = ended;
        traffic.await;
    });
    Ok((connection, Driver(task.abort_handle())))
}

/// What is said first on a connection.
pub(super) fn login(access: &Access) -> RedisConnectionInfo {
    let mut login = RedisConnectionInfo::default()
        .set_db(access.database.into())
        .set_lib_name(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    if let Some(user) = &access.user {
        login = login.set_username(user);
    }
    if let Some(password) = &access.password {
        login = login.set_password(password);
    }
    login
}
