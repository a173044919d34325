//! Opening sockets and logging in.

use std::time::Duration;

use redis::Pipeline;
use tokio::task::AbortHandle;
#[cfg(feature = "tls")]
use tokio::time::timeout;

use crate::store::redis::connection::error::{Cause, refusal};
use crate::store::redis::connection::multiplexer::{Listener, Multiplexer, Progress, Socket};
use crate::store::redis::connection::sockets;
use crate::store::redis::connection::wire::{RespValue, ServerError};
use crate::store::redis::url::{Access, Endpoint};

/// The part of the time for a connection that the server may take to answer to TLS.
#[cfg(feature = "tls")]
const HANDSHAKE: f32 = 0.75;

/// Opens a socket, with TLS where that is asked for, for somebody who waits for `patience` in all.
pub(in crate::store) async fn dial(
    endpoint: &Endpoint,
    tls: bool,
    patience: Duration,
) -> Result<Socket, Cause> {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = sockets::connect(host, *port, patience).await?;
            match tls {
                false => Ok(Socket::Tcp(stream)),
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
                        Ok(stream) => Ok(Socket::Stream(Box::new(stream?))),
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
        Endpoint::Unix(path) => Ok(Socket::Unix(tokio::net::UnixStream::connect(path).await?)),
        #[cfg(not(unix))]
        Endpoint::Unix(_) => Err(Cause::Unreachable("this system has no Unix sockets".to_owned())),
    }
}

/// The task that moves bytes between a connection's callers and its socket. Ends with this handle.
#[derive(Debug)]
pub(in crate::store) struct DriverTask {
    task: AbortHandle,
    progress: Progress,
}

impl DriverTask {
    pub(in crate::store) fn stop(&self) {
        self.task.abort();
    }

    /// How many bytes of a large reply have arrived; 0 while there is none.
    pub(in crate::store) fn progress(&self) -> u64 {
        self.progress.bytes()
    }
}

impl Drop for DriverTask {
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

/// A connection by this socket, which nobody is logged in to. `watch` is told of its end.
pub(in crate::store) fn open(
    socket: Socket,
    listener: Option<Listener>,
    mut watch: impl Watch,
) -> (Multiplexer, DriverTask) {
    let (connection, driver) = Multiplexer::new(socket, listener);
    let progress = driver.progress();
    let task = tokio::spawn(async move {
        driver.await;
        watch.see();
    });
    (connection, DriverTask { task: task.abort_handle(), progress })
}

/// The same, logged in to the database that is to be used.
pub(in crate::store) async fn log_in(
    socket: Socket,
    access: &Access,
    watch: impl Watch,
) -> Result<(Multiplexer, DriverTask), Cause> {
    let (connection, driver) = open(socket, None, watch);
    greet(&connection, access).await?;
    Ok((connection, driver))
}

/// Logs in to the database that is to be used.
pub(in crate::store) async fn greet(
    connection: &Multiplexer,
    access: &Access,
) -> Result<(), Cause> {
    let Err(refused) = try_to_greet(connection, access, access.user.as_deref()).await? else {
        return Ok(());
    };
    // Servers before 6.0 know no users.
    let knows_users = !refused.details().contains("wrong number of arguments");
    let refused =
        if knows_users { Err(refused) } else { try_to_greet(connection, access, None).await? };
    refused.map_err(|error| match refusal(&error, access) {
        error if error == *"ERR" => Cause::WrongPassword(error),
        error => error.into(),
    })
}

/// Says who is there, and asks for the database. The inner error is the answer to the login.
async fn try_to_greet(
    connection: &Multiplexer,
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
    let mut answers = connection.send(&greeting).await?.into_iter();
    if access.password.is_some()
        && let Some(RespValue::ServerError(error)) = answers.next()
    {
        return Ok(Err(error));
    }
    if access.database != 0
        && let Some(RespValue::ServerError(error)) = answers.next()
    {
        return Err(match refusal(&error, access) {
            error if error == *"ERR" => Cause::UnknownDatabase(error),
            error => error.into(),
        });
    }
    // Old servers do not know the rest, and it does not matter.
    Ok(Ok(()))
}
