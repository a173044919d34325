//! A thread of this crate's own, for what must go on while the program's code keeps every thread of
//! its runtime.

use std::io;
use std::sync::LazyLock;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

use crate::support::log;

/// The runtime of the thread, which is there from its first use to the end of the process; none
/// where it cannot be had.
static RUNTIME: LazyLock<Option<Handle>> = LazyLock::new(|| match start() {
    Ok(runtime) => Some(runtime),
    Err(error) => {
        log::warn(format_args!(
            "there is no thread to renew the leases of queues on, so a sink that blocks loses its \
                partitions: {error}"
        ));
        None
    }
});

fn start() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let drive = move || runtime.block_on(std::future::pending::<()>());
    thread::Builder::new().name("cache-queues".to_owned()).spawn(drive)?;
    Ok(handle)
}

/// Spawns a task on the thread, or on the caller's runtime where there is none.
pub(crate) fn spawn<R: Send + 'static>(
    task: impl Future<Output = R> + Send + 'static,
) -> JoinHandle<R> {
    match &*RUNTIME {
        Some(runtime) => runtime.spawn(task),
        None => tokio::spawn(task),
    }
}

/// What a task on the thread comes to; none if it panics. It ends if nobody waits for it any more.
pub(crate) async fn run<R: Send + 'static>(
    task: impl Future<Output = R> + Send + 'static,
) -> Option<R> {
    /// Ends a task with its owner.
    struct Ending<R>(JoinHandle<R>);

    impl<R> Drop for Ending<R> {
        fn drop(&mut self) {
            self.0.abort();
        }
    }

    let mut task = Ending(spawn(task));
    (&mut task.0).await.ok()
}
