//! Sinks of every shape: free and associated, that take items or a batch, and that need one thing
//! or another.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use cache_fixtures::stores::on_both_stores;
use cache_runtime::{Batch, Cache, Error, ErrorKind, write_behind};
use cache_testing::barrier::eventually;

use crate::attribute::fixture::{Fixture, Running, View, settled};

on_both_stores! {
    a_worker_keeps_what_its_sink_needs
    a_sink_takes_a_batch
    items_of_one_key_are_merged_as_asked
    associated_functions_are_sinks_too
    what_a_sink_refuses_is_listed_and_driven_again
    the_queue_names_its_cache
    a_full_queue_says_so
    invalidating_everything_leaves_queues_alone
    the_sink_can_still_be_called
}

/// What sinks were given. Clones are one log.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn write(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn write_all(&self, lines: impl IntoIterator<Item = String>) {
        self.0.lock().unwrap().extend(lines);
    }

    fn read(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[write_behind(queue = "everything", linger = "1ms", partitions = 1)]
async fn save_with_everything(
    log: &Log,
    prefix: &str,
    mut marks: Vec<&'static str>,
    suffixes: &[String],
    mut views: Vec<View>,
) -> Result<(), Infallible> {
    marks.push("!");
    for view in views.drain(..) {
        log.write(format!("{prefix}{}{}{}", view.page, marks.concat(), suffixes.concat()));
    }
    Ok(())
}

async fn a_worker_keeps_what_its_sink_needs(_: Fixture) {
    let (log, suffixes) = (Log::default(), vec!["~".to_owned()]);
    // By value and by reference: nothing of it must outlive this.
    let owned =
        save_with_everything_worker(log.clone(), "one ".to_owned(), vec!["?"], suffixes.clone());
    let queue = save_with_everything_queue();
    queue.push(View::of("a")).await.unwrap();
    let running = Running::start(owned);
    settled(&queue).await;
    running.stop().await;
    let borrowed = save_with_everything_worker(&log, "two ", vec![], &suffixes);
    queue.push(View::of("b")).await.unwrap();
    let running = Running::start(borrowed);
    settled(&queue).await;
    running.stop().await;
    assert_eq!(log.read(), ["one a?!~", "two b!~"]);
}

#[write_behind(queue = "batches", key = "<view.page>", linger = "1ms", partitions = 1, batch = 2)]
async fn save_batch(log: &Log, views: Batch<View>) {
    let (queue, partition, len) = (views.queue(), views.partition(), views.pushed());
    let pages: Vec<_> = views.into_iter().map(|view| view.item.page).collect();
    log.write(format!("{queue}:{partition} {len} {}", pages.concat()));
}

async fn a_sink_takes_a_batch(_: Fixture) {
    let (log, queue) = (Log::default(), save_batch_queue());
    for page in ["a", "b", "c", "c"] {
        queue.push(View::of(page)).await.unwrap();
    }
    let running = Running::start(save_batch_worker(&log));
    settled(&queue).await;
    running.stop().await;
    assert_eq!(log.read(), ["batches:0 2 ab", "batches:0 2 c"]);
}

#[write_behind(queue = "sums", key = "<view.page>", merge = View::add, linger = "1ms")]
async fn save_sums(log: &Log, views: Vec<View>) {
    log.write_all(views.into_iter().map(|view| format!("{}{}", view.page, view.count)));
}

fn longer(one: String, other: String) -> String {
    if other.len() > one.len() { other } else { one }
}

#[write_behind(queue = "longest", key = "<text:hash>", merge = longer, linger = "1ms")]
async fn save_equal(log: &Log, texts: Vec<String>) {
    log.write_all(texts);
}

#[write_behind(queue = "last", key = "<pair.0>", linger = "1ms")]
async fn save_last(log: &Log, pairs: Vec<(u8, u8)>) {
    log.write_all(pairs.into_iter().map(|pair| format!("{pair:?}")));
}

#[write_behind(queue = "all", key = "<pair.0>", merge = none, linger = "1ms")]
async fn save_all(log: &Log, pairs: Vec<(u8, u8)>) {
    log.write_all(pairs.into_iter().map(|pair| format!("{pair:?}")));
}

async fn items_of_one_key_are_merged_as_asked(_: Fixture) {
    let log = Log::default();
    for _ in 0..10 {
        save_sums_queue().push(View::of("a")).await.unwrap();
        save_equal_queue().push("text".to_owned()).await.unwrap();
    }
    for number in 1..=3 {
        save_last_queue().push((7, number)).await.unwrap();
        save_all_queue().push((8, number)).await.unwrap();
    }
    let workers = [
        save_sums_worker(&log),
        save_equal_worker(&log),
        save_last_worker(&log),
        save_all_worker(&log),
    ];
    let running = workers.map(Running::start);
    settled(&save_sums_queue()).await;
    settled(&save_equal_queue()).await;
    settled(&save_last_queue()).await;
    settled(&save_all_queue()).await;
    for running in running {
        running.stop().await;
    }
    let mut lines = log.read();
    lines.sort();
    assert_eq!(lines, ["(7, 3)", "(8, 1)", "(8, 2)", "(8, 3)", "a10", "text"]);
}

struct Repository;

impl Repository {
    #[write_behind(queue = "repository", key = "<view.page>", linger = "1ms")]
    async fn save(log: Log, views: Vec<View>) -> anyhow::Result<()> {
        let _: Self = Self;
        log.write_all(views.into_iter().map(|view| view.page));
        Ok(())
    }
}

async fn associated_functions_are_sinks_too(_: Fixture) {
    let log = Log::default();
    Repository::save_queue().push(View::of("a")).await.unwrap();
    let running = Running::start(Repository::save_worker(log.clone()));
    settled(&Repository::save_queue()).await;
    running.stop().await;
    assert_eq!(log.read(), ["a"]);
}

#[write_behind(
    queue = "picky",
    key = "page:<view.page>",
    max_attempts = 2,
    linger = "1ms",
    partitions = 1
)]
async fn save_picky(log: &Log, views: Vec<View>) -> anyhow::Result<()> {
    let is_bad = log.read().is_empty() && views.iter().any(|view| view.page == "bad:page");
    anyhow::ensure!(!is_bad, anyhow::anyhow!("no such page").context("cannot save"));
    log.write_all(views.into_iter().map(|view| view.page));
    Ok(())
}

async fn what_a_sink_refuses_is_listed_and_driven_again(fixture: Fixture) {
    let (log, queue) = (Log::default(), save_picky_queue());
    queue.push(View::of("bad:page")).await.unwrap();
    let running = Running::start(save_picky_worker(&log));
    settled(&queue).await;
    let letters = queue.dead_letters(10).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!(letter.item, Some(View::of("bad:page")));
    assert_eq!(letter.key, "page:bad%3Apage", "the template's text, with the value escaped");
    assert_eq!(letter.error, "cannot save: no such page", "with its causes");
    assert_eq!(letter.attempts, 2);
    assert_eq!(queue.length().await.unwrap().dead_letters, 1);
    let stats = fixture.cache.stats();
    let stats = stats.queue("picky").unwrap();
    assert!(stats.function.ends_with("shapes::save_picky"), "{}", stats.function);
    assert_eq!((stats.pushed, stats.dead_letters), (1, 1));

    log.write("mended".to_owned());
    assert_eq!(queue.redrive().await.unwrap(), 1);
    settled(&queue).await;
    running.stop().await;
    assert_eq!(log.read(), ["mended", "bad:page"]);
    assert!(queue.dead_letters(10).await.unwrap().is_empty());
}

static OTHER: std::sync::LazyLock<Cache> = std::sync::LazyLock::new(Cache::in_memory);

#[write_behind(queue = "elsewhere", linger = "1ms", cache = *OTHER)]
async fn save_elsewhere(log: &Log, views: Vec<View>) {
    log.write_all(views.into_iter().map(|view| view.page));
}

async fn the_queue_names_its_cache(fixture: Fixture) {
    save_elsewhere_queue().push(View::of("a")).await.unwrap();
    assert!(fixture.cache.stats().queue("elsewhere").is_none());
    assert!(OTHER.stats().queue("elsewhere").unwrap().pushed > 0);
}

#[write_behind(queue = "narrow", max_len = 2, partitions = 1, push_timeout = "2s")]
async fn save_narrow(views: Vec<View>) {
    drop(views);
}

async fn a_full_queue_says_so(_: Fixture) {
    let queue = save_narrow_queue();
    let is_full = |pushed: Result<(), Error>| pushed.is_err_and(|e| e.kind() == ErrorKind::Full);
    // Two seconds are too short for a connection on a machine that is busy.
    eventually!(queue.length().await.is_ok());
    queue.push(View::of("a")).await.unwrap();
    queue.try_push(View::of("b")).await.unwrap();
    // There never is room, so a server that is slow to answer, which is an error of another kind,
    // may be asked again.
    eventually!(is_full(queue.push(View::of("c")).await));
    eventually!(is_full(queue.try_push(View::of("c")).await));
    assert_eq!(queue.length().await.unwrap().waiting, 2);
}

#[write_behind(queue = "kept", key = "<view.page>", linger = "1ms")]
async fn save_kept(log: &Log, views: Vec<View>) {
    log.write_all(views.into_iter().map(|view| view.page));
}

async fn invalidating_everything_leaves_queues_alone(fixture: Fixture) {
    let (log, queue) = (Log::default(), save_kept_queue());
    let running = Running::start(save_kept_worker(&log));
    queue.push(View::of("a")).await.unwrap();
    settled(&queue).await;
    running.stop().await;
    queue.push(View::of("b")).await.unwrap();
    fixture.cache.clear().await.unwrap();
    fixture.cache.invalidate_matching("*").await.unwrap();
    queue.push(View::of("b")).await.unwrap();
    let running = Running::start(save_kept_worker(&log));
    settled(&queue).await;
    running.stop().await;
    assert_eq!(log.read(), ["a", "b"]);
}

async fn the_sink_can_still_be_called(_: Fixture) {
    let log = Log::default();
    save_sums(&log, vec![View::of("a")]).await;
    assert_eq!(log.read(), ["a1"]);
}
