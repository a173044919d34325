//! A one-shot shutdown signal: the sender sends it once, and every clone of the receiver sees it.

use tokio::sync::watch;

/// Sends the signal.
#[derive(Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

/// Receives the signal, also after it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Stopped(watch::Receiver<bool>);

pub(crate) fn stop() -> (Stop, Stopped) {
    let (stop, stopped) = watch::channel(false);
    (Stop(stop), Stopped(stopped))
}

impl Stop {
    pub(crate) fn send(&self) {
        self.0.send_replace(true);
    }
}

impl Stopped {
    pub(crate) fn is_sent(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes when the signal is sent, or its sender is dropped.
    pub(crate) async fn sent(&mut self) {
        _ = self.0.wait_for(|sent| *sent).await;
    }
}
