//! What the cache writes to the log.

use std::fmt::{self, Debug, Write as _};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn lines() -> MutexGuard<'static, Vec<String>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps every line from now on that is worth one, of all tests of this program: connections are
/// kept by tasks of their own.
pub fn capture() {
    capture_up_to(Level::INFO);
}

/// The same, with what is only for those who look at every call.
pub fn capture_everything() {
    capture_up_to(Level::TRACE);
}

fn capture_up_to(level: Level) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Capture(level)).expect("the only one");
    });
}

/// The lines so far about the server on a port, or all.
pub fn about(port: impl Into<Option<u16>>) -> Vec<String> {
    let server = port.into().map_or_else(String::new, |port| format!("127.0.0.1:{port}"));
    lines().iter().filter(|line| line.contains(&server)).cloned().collect()
}

/// The warnings among them.
pub fn warnings(port: impl Into<Option<u16>>) -> Vec<String> {
    about(port).into_iter().filter(|line| line.starts_with("WARN")).collect()
}

/// Fails where nothing was said about a server that contains this.
pub fn says(port: u16, text: &str) {
    let lines = about(port);
    assert!(lines.iter().any(|line| line.contains(text)), "no {text:?} in {lines:#?}");
}

/// A subscriber of `tracing` that keeps lines and knows no spans.
struct Capture(Level);

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.0
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(format!("{} {}:", event.metadata().level(), event.metadata().target()));
        event.record(&mut line);
        lines().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let written: fmt::Result = write!(self.0, " {field}={value:?}");
        written.expect("a string takes everything");
    }
}
