//! Opening sockets and logging in.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Pipeline, RedisConnectionInfo, ServerError, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
#[cfg(feature = "tls")]
use tokio::time::timeout;

use crate::store::redis::connection::error::{Cause, refusal};
use crate::store::redis::connection::replies::Progress;
use crate::store::redis::connection::sockets;
use crate::store::redis::connection::write_coalescer::Gathered;
use crate::store::redis::url::{Access, Endpoint};

/// Commands that may be queued in front of the socket: enough that callers do not take turns.
const QUEUE: usize = 1024;

/// The part of the time for a connection that the server may take to answer to TLS.
#[cfg(feature = "tls")]
const HANDSHAKE: f32 = 0.75;

/// A socket of one kind or another.
pub(in crate::store) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Opens a socket, with TLS where that is asked for, for somebody who waits for `patience` in all.
pub(in crate::store) async fn dial(
    endpoint: &Endpoint,
    tls: bool,
    patience: Duration,
) -> Result<Box<dyn Stream>, Cause> {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = sockets::connect(host, *port, patience).await?;
            match tls {
                false => Ok(Box::new(stream)),
                #[cfg(feature = "tls")]
                // A server that speaks no TLS may wait for more, where one that does would answer
                // at once.
                true => {
                    match timeout(
                        patience.mul_f32(HANDSHAKE),
                        crate::store::redis::connection::tls::client(host, stream),
                    )
                    .await
                    {
                        Ok(stream) => Ok(Box::new(stream?)),
                        Err(_) => {
                            Err(Cause::Tls("the server does not answer to TLS in time".to_owned()))
                        }
                    }
                }
                #[cfg(not(feature = "tls"))]
                true => Err(Cause::Tls("TLS is not compiled in".to_owned())),
            }
        }
        #[cfg(unix)]
        Endpoint::Unix(path) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
        #[cfg(not(unix))]
        Endpoint::Unix(_) => Err(Cause::Unreachable("this system has no Unix sockets".to_owned())),
    }
}

/// The task that moves bytes between a connection's callers and its socket. Ends with this handle.
#[derive(Debug)]
pub(in crate::store) struct Driver {
    task: AbortHandle,
    progress: Progress,
}

impl Driver {
    pub(in crate::store) fn stop(&self) {
        self.task.abort();
    }

    /// How many bytes of a large reply have arrived; 0 while there is none.
    pub(in crate::store) fn progress(&self) -> u64 {
        self.progress.bytes()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Who is to know that a connection has ended. It is dropped with the connection's task, whatever
/// the reason, even if its runtime is gone.
pub(in crate::store) trait Watch: Send + 'static {
    /// The connection has ended by itself.
    fn see(&mut self) {}
}

/// Nobody.
impl Watch for () {}

/// Begins to speak Redis's protocol on a socket. `watch` is told of its end.
pub(in crate::store) async fn open(
    stream: Box<dyn Stream>,
    login: &RedisConnectionInfo,
    config: AsyncConnectionConfig,
    mut watch: impl Watch,
) -> Result<(MultiplexedConnection, Driver), Cause> {
    let config = config
        // Every call has a deadline of its own.
        .set_response_timeout(None)
        .set_pipeline_buffer_size(QUEUE);
    let stream = Gathered::new(stream);
    let progress = stream.progress();
    let (connection, traffic) =
        MultiplexedConnection::new_with_config(login, stream, config).await?;
    let task = tokio::spawn(async move {
        traffic.await;
        watch.see();
    });
    Ok((connection, Driver { task: task.abort_handle(), progress }))
}

/// The same, logged in to the database that is to be used.
pub(in crate::store) async fn log_in(
    stream: Box<dyn Stream>,
    access: &Access,
    watch: impl Watch,
) -> Result<(MultiplexedConnection, Driver), Cause> {
    // Not by the client: of what a server answers, it keeps too little to tell one mistake from
    // another.
    let nobody = RedisConnectionInfo::default().set_skip_set_lib_name();
    let (mut connection, driver) =
        open(stream, &nobody, AsyncConnectionConfig::new(), watch).await?;
    if let Err(refused) = greet(&mut connection, access, access.user.as_deref()).await? {
        // Servers before 6.0 know no users.
        let knows_users =
            !refused.details().unwrap_or_default().contains("wrong number of arguments");
        let refused =
            if knows_users { Err(refused) } else { greet(&mut connection, access, None).await? };
        refused.map_err(|error| match refusal(&error, access) {
            error if error == *"ERR" => Cause::WrongPassword(error),
            error => error.into(),
        })?;
    }
    Ok((connection, driver))
}

/// Says who is there, and asks for the database. The inner error is the answer to the login.
async fn greet(
    connection: &mut MultiplexedConnection,
    access: &Access,
    user: Option<&str>,
) -> Result<Result<(), ServerError>, Cause> {
    let mut greeting = Pipeline::with_capacity(4);
    if let Some(password) = &access.password {
        greeting.cmd("AUTH").arg(user).arg(password);
    }
    if access.database != 0 {
        greeting.cmd("SELECT").arg(access.database);
    }
    for (what, value) in
        [("LIB-NAME", env!("CARGO_PKG_NAME")), ("LIB-VER", env!("CARGO_PKG_VERSION"))]
    {
        greeting.cmd("CLIENT").arg("SETINFO").arg(what).arg(value);
    }
    let count = greeting.len();
    let mut answers = connection.send_packed_commands(&greeting, 0, count).await?.into_iter();
    if access.password.is_some()
        && let Some(Value::ServerError(error)) = answers.next()
    {
        return Ok(Err(error));
    }
    if access.database != 0
        && let Some(Value::ServerError(error)) = answers.next()
    {
        return Err(match refusal(&error, access) {
            error if error == *"ERR" => Cause::UnknownDatabase(error),
            error => error.into(),
        });
    }
    // Old servers do not know the rest, and it does not matter.
    Ok(Ok(()))
}
