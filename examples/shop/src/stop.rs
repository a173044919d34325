//! The word to stop, and those who wait for it.

use tokio::sync::watch;

/// Says it. Dropping it says it, too.
#[derive(Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

/// Hears it.
#[derive(Clone, Debug)]
pub(crate) struct Stopped(watch::Receiver<bool>);

impl Stop {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn listener(&self) -> Stopped {
        Stopped(self.0.subscribe())
    }

    pub(crate) fn say(&self) {
        self.0.send_replace(true);
    }
}

impl Stopped {
    /// Waits for the word.
    pub(crate) async fn heard(mut self) {
        // An error means that nobody is left to say it.
        let _ = self.0.wait_for(|said| *said).await;
    }
}
