//! Work that outlives a call.

use tokio::runtime::Handle;

/// Runs something in the background; not at all outside of a runtime, where nobody could.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(task);
    }
}
