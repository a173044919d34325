//! Telling what runs that it should end.

use tokio::sync::watch;

/// Tells.
#[derive(Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

/// Is told.
#[derive(Clone, Debug)]
pub(crate) struct Stopped(watch::Receiver<bool>);

pub(crate) fn stop() -> (Stop, Stopped) {
    let (stop, stopped) = watch::channel(false);
    (Stop(stop), Stopped(stopped))
}

impl Stop {
    pub(crate) fn tell(&self) {
        self.0.send_replace(true);
    }
}

impl Stopped {
    pub(crate) fn is_told(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is told to end, or nobody is left who could.
    pub(crate) async fn told(&mut self) {
        _ = self.0.wait_for(|told| *told).await;
    }
}
