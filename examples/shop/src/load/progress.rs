//! How far the measurement is.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::options::{Plan, Store};

/// How often the bar moves.
const STEP: Duration = Duration::from_millis(100);

/// One bar for everything.
#[derive(Clone, Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(plan: &Plan) -> Self {
        let stores = u32::try_from(plan.stores.len()).unwrap_or(u32::MAX);
        let steps = ((plan.warm + plan.measure) * stores).as_millis() / STEP.as_millis();
        let bar = ProgressBar::new(u64::try_from(steps).unwrap_or(u64::MAX));
        let style = ProgressStyle::with_template("{msg:15} [{bar:40}] {percent:>3} %, {eta} left");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    pub(crate) fn begin(&self, store: Store) {
        self.0.set_message(store.to_string());
    }

    /// Moves while time passes.
    pub(crate) async fn during(&self, time: Duration) {
        let steps = time.as_millis() / STEP.as_millis();
        let mut ticks = tokio::time::interval(STEP);
        ticks.tick().await;
        for _ in 0..steps {
            ticks.tick().await;
            self.0.inc(1);
        }
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
