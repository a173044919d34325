//! What is said of a server, and what is never said.

use std::fmt::Write;
use std::sync::{Arc, Mutex, Once};

use cache_testing::redis::Data;
use tokio::runtime::{Builder, Runtime};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

use crate::metrics::BreakerState as Phase;
use crate::store::StoreError;
use crate::store::redis::tests::*;

const SECRET: &str = "hunter2";

/// Keeps all events, as text.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// Keeps what this thread says, until the guard is dropped.
    fn of_this_thread() -> (Self, DefaultGuard) {
        // `tracing` asks only once whether anybody listens to a line, and may ask a thread of
        // another test: there, somebody must.
        static EVERYWHERE: Once = Once::new();
        EVERYWHERE.call_once(|| _ = tracing::subscriber::set_global_default(Self::default()));
        let lines = Self::default();
        (lines.clone(), tracing::subscriber::set_default(lines))
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{value:?}").unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "cache_runtime"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = format!("{} ", event.metadata().level());
        event.record(&mut Text(&mut line));
        self.0.lock().unwrap().push(line);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn an_outage_is_two_lines_however_many_calls_it_meets() {
    let (lines, _guard) = Lines::of_this_thread();
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    server.kill();
    until("the loss is noticed", async || store.snapshot().phase == Phase::Open).await;
    for _ in 0..1000 {
        assert_eq!(store.get(name, soon()).await, Err(StoreError::Down));
    }
    server.restart(Data::Lost).await;
    until("the server is back", async || store.get(name, briefly()).await.is_ok()).await;

    let server = format!("127.0.0.1:{}", server.port());
    let lines = lines.all();
    let [connected, lost, .., back] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(*connected, format!("INFO {server}: connected"));
    assert_eq!(*lost, format!("WARN {server}: connection lost; going without it"));
    let quiet = "nothing is stored for 2s, until all processes can have reconnected";
    assert_eq!(*back, format!("INFO {server}: connected; {quiet}"));
    // Some more are due to the cause: the connection was lost, perhaps reset by a server about to
    // end, and then refused.
    assert!(lines.len() <= 5, "{lines:?}");
}

#[tokio::test]
async fn attempts_that_fail_alike_are_one_line() {
    let (lines, _guard) = Lines::of_this_thread();
    let nowhere = RedisServer::builder().down();
    let link = fake::Link::to(nowhere.port()).await;
    let store = store_at(&format!("redis://127.0.0.1:{}", link.port));
    assert_eq!(store.get(Name::new("user:1"), soon()).await, Err(StoreError::Down));
    until("several attempts are made", async || {
        link.accepted.load(std::sync::atomic::Ordering::SeqCst) > 5
    })
    .await;
    assert_eq!(lines.all().len(), 1, "{:?}", lines.all());
}

#[test]
fn whoever_takes_over_does_not_say_it_again() {
    let (lines, _guard) = Lines::of_this_thread();
    let (of_link, name) = (Runtime::new().unwrap(), Name::new("user:1"));
    // Nobody listens there.
    let link = of_link.block_on(fake::Link::to(1));
    let store = store_at(&format!("redis://127.0.0.1:{}", link.port));
    let attempts = || link.accepted.load(std::sync::atomic::Ordering::SeqCst);
    let current = || Builder::new_current_thread().enable_all().build().unwrap();
    let (standing, next) = (current(), current());
    standing.block_on(async { assert_eq!(store.get(name, soon()).await, Err(StoreError::Down)) });
    let before = attempts();
    next.block_on(until("somebody takes over", async || {
        _ = store.get(name, soon()).await;
        attempts() > before + 2
    }));
    assert_eq!(lines.all().len(), 1, "{:?}", lines.all());
}

#[tokio::test]
async fn credentials_are_never_repeated() {
    let (lines, _guard) = Lines::of_this_thread();
    // Some servers quote the command that they do not like.
    let parrot = fake::serve(|command| format!("-ERR what is {command:?}\r\n").into_bytes()).await;
    let server = RedisServer::builder().password("another").start().await;
    for (port, user) in
        [(parrot, ""), (parrot, "ann"), (server.port(), ""), (server.port(), "ann"), (1, "ann")]
    {
        let store = store_at(&format!("redis://{user}:{SECRET}@127.0.0.1:{port}"));
        let error = store.get(Name::new("user:1"), soon()).await.unwrap_err();
        assert_eq!(error, StoreError::Down);
        let said = format!("{store:?} {error:?}");
        assert!(!said.contains(SECRET) && !said.contains("ann"), "{said}");
    }
    let lines = lines.all();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert!(
        lines.iter().all(|line| line.contains("going without it") && !line.contains(SECRET)),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_missing_password_is_told() {
    let (lines, _guard) = Lines::of_this_thread();
    let server = RedisServer::builder().password(SECRET).start().await;
    let store = store_at(&server.url_without_password());
    assert_eq!(store.get(Name::new("user:1"), soon()).await, Err(StoreError::Down));
    assert!(lines.all()[0].contains("NOAUTH"), "{:?}", lines.all());
    let store = store_at(&server.url());
    assert_eq!(store.get(Name::new("user:1"), soon()).await, Ok(None));
    assert!(!format!("{store:?}").contains(SECRET));
}
