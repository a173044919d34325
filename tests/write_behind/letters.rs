//! Dead letters: looked at page by page, put back or discarded one by one.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use cache_fixtures::stores::on_all_stores;
use cache_runtime::__private::{self, QueueSite};
use cache_runtime::Queue;
use cache_runtime::queue::{DeadLetter, DeadLetterId};
use cache_testing::barrier::eventually;

use crate::fixture::{Fixture, LEASE_MS, Ledger, Running, Step, queue, step, worker};

on_all_stores! {
    pages_hold_every_letter_once
    a_letter_is_put_back_or_discarded_by_its_id
    all_letters_are_discarded
    a_queue_by_its_name_does_the_same
    what_cannot_be_read_is_shown_as_it_is
}

static FRAGILE: QueueSite = QueueSite::new("letters::fragile", "fragile-letters")
    .partitions(3)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .max_attempts(1)
    .keep_all();

/// A queue with so many dead letters, and nothing else.
async fn with_letters(fixture: &Fixture, count: u64) -> (Queue<Step>, Ledger) {
    let (queue, ledger) = (queue(&FRAGILE, &fixture.cache), Ledger::default());
    queue.discard_all().await.unwrap();
    // It takes every other one: of a sink that takes nothing it is not known which item is at
    // fault.
    ledger.refuse(|step| step.counter % 2 == 1);
    let items = (0..count).flat_map(|number| [0, 1].map(|odd| step(2 * number + odd, number)));
    queue.push_many(items.collect()).await.unwrap();
    let running = Running::start(worker(&FRAGILE, &fixture.cache, &ledger));
    eventually!(queue.length().await.unwrap().dead_letters == count);
    running.stop().await;
    (queue, Ledger::default())
}

fn numbers(letters: &[DeadLetter<Step>]) -> Vec<u64> {
    letters.iter().map(|letter| letter.item.as_ref().unwrap().number).collect()
}

async fn pages_hold_every_letter_once(fixture: Fixture) {
    let (queue, _) = with_letters(&fixture, 12).await;
    let all = queue.dead_letters(100).await.unwrap();
    assert_eq!(numbers(&all).into_iter().collect::<BTreeSet<_>>(), (0..12).collect());
    assert!(all.is_sorted_by(|one, other| one.id < other.id), "{all:?}");
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    for letter in &all {
        assert_eq!(letter.id.to_string().parse::<DeadLetterId>(), Ok(letter.id));
        assert_eq!((letter.id.partition(), letter.unreadable.as_deref()), (letter.partition, None));
        assert!(letter.died > SystemTime::UNIX_EPOCH && letter.died < tomorrow, "{letter:?}");
    }
    for size in [1, 5, 12, 13] {
        let (mut pages, mut page) = (Vec::new(), queue.dead_letters(size).await.unwrap());
        while let Some(last) = page.last().map(|letter| letter.id) {
            assert!(page.len() <= size);
            pages.append(&mut page);
            // A letter that is gone meanwhile still says where the next page begins.
            page = queue.dead_letters_after(last, size).await.unwrap();
        }
        assert_eq!(pages, all, "by {size}");
    }
    assert_eq!(queue.dead_letters(0).await.unwrap(), []);
}

async fn a_letter_is_put_back_or_discarded_by_its_id(fixture: Fixture) {
    let (queue, ledger) = with_letters(&fixture, 6).await;
    let all = queue.dead_letters(100).await.unwrap();
    let [first, second, third, ..] = &all[..] else { panic!("{all:?}") };
    if let Some((server, client)) = fixture.store.remote() {
        // As Redis shows it.
        let (partition, id) = (first.partition, first.id.to_string());
        let (_, id) = id.split_once(':').unwrap();
        let key = format!("wb:{{fragile-letters:{partition}}}:dead");
        let words = ["XRANGE", &key, id, id];
        let found: Vec<(String, Vec<String>)> = client.run(&words).await;
        assert_eq!(found.len(), 1, "{words:?} on {server:?}");
    }
    assert!(queue.redrive_one(second.id).await.unwrap());
    assert!(!queue.redrive_one(second.id).await.unwrap(), "it is no letter any more");
    assert!(queue.discard(first.id).await.unwrap());
    assert!(!queue.discard(first.id).await.unwrap());
    let length = queue.length().await.unwrap();
    assert_eq!((length.waiting, length.dead_letters), (1, 4));
    let next = queue.dead_letters_after(first.id, 1).await.unwrap();
    assert_eq!(next, std::slice::from_ref(third), "after one that is gone");

    let running = Running::start(worker(&FRAGILE, &fixture.cache, &ledger));
    eventually!(ledger.len() == 1);
    running.stop().await;
    let back = second.item.as_ref().unwrap();
    assert_eq!(ledger.of(back.counter), [back.number]);
    assert_eq!(ledger.versions(), [second.version]);
    assert_eq!(numbers(&queue.dead_letters(100).await.unwrap()), numbers(&all)[2..]);
}

async fn all_letters_are_discarded(fixture: Fixture) {
    // More than are removed at once, of one partition.
    let (queue, _) = with_letters(&fixture, 400).await;
    // In a task, as behind an operator's endpoint.
    let operated = queue.clone();
    let discarded = tokio::spawn(async move { operated.discard_all().await });
    assert_eq!(discarded.await.unwrap().unwrap(), 400);
    assert_eq!(queue.length().await.unwrap().dead_letters, 0);
    assert_eq!(queue.discard_all().await.unwrap(), 0);
}

/// For tools that do not know the type of its items.
async fn a_queue_by_its_name_does_the_same(fixture: Fixture) {
    let (queue, _) = with_letters(&fixture, 12).await;
    let named = fixture.cache.queue("fragile-letters");
    assert_eq!(named.length().await.unwrap().dead_letters, 12);
    let (all, typed) = (named.dead_letters(100).await.unwrap(), queue.dead_letters(100).await);
    for (letter, typed) in all.iter().zip(typed.unwrap()) {
        assert_eq!((letter.id, &letter.bytes, letter.item), (typed.id, &typed.bytes, None));
        assert_eq!((&letter.key, &letter.unreadable), (&typed.key, &None));
    }
    let page = named.dead_letters_after(all[3].id, 2).await.unwrap();
    assert_eq!([page[0].id, page[1].id], [all[4].id, all[5].id]);
    assert_eq!(named.dead_letter(all[3].id).await.unwrap().as_ref(), Some(&all[3]));

    assert!(named.redrive_one(all[0].id).await.unwrap());
    assert!(named.discard(all[1].id).await.unwrap());
    for gone in [all[0].id, all[1].id] {
        assert_eq!(named.dead_letter(gone).await.unwrap(), None);
        assert!(!named.redrive_one(gone).await.unwrap() && !named.discard(gone).await.unwrap());
    }
    assert_eq!(queue.length().await.unwrap().waiting, 1);
    assert_eq!(named.redrive().await.unwrap(), 10);
    assert_eq!(named.discard_all().await.unwrap(), 0);
    assert_eq!(named.length().await.unwrap().waiting, 11);

    let nobody = fixture.cache.queue("nobody's");
    assert_eq!((nobody.length().await.unwrap().depth(), nobody.redrive().await.unwrap()), (0, 0));
    assert_eq!(nobody.dead_letters(100).await.unwrap(), []);
}

static TEXTS: QueueSite = QueueSite::new("letters::texts", "letters")
    .partitions(1)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .keep_all();

async fn what_cannot_be_read_is_shown_as_it_is(fixture: Fixture) {
    let texts = __private::queue::<String>(&TEXTS).cache(&fixture.cache).done();
    texts.push("not a number".to_owned()).await.unwrap();
    let numbers = || __private::queue::<u64>(&TEXTS).cache(&fixture.cache).done();
    let sink = |(), _: cache_runtime::Batch<u64>| std::future::ready(());
    let running = Running::start(__private::worker(numbers(), (), sink));
    eventually!(numbers().length().await.unwrap().dead_letters == 1);
    running.stop().await;
    let letters = numbers().dead_letters(10).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!((letter.item, &letter.bytes[..]), (None, &b"\"not a number\""[..]));
    assert_eq!((&letter.error[..], letter.attempts), ("the item does not decode", 0));
    let why = letter.unreadable.as_deref().unwrap();
    assert!(why.contains("not a number") && why.contains("u64"), "{why}");
    assert!(letter.position.stream_id().ends_with("-1"), "{}", letter.position.stream_id());

    // For who can read it, nothing is wrong with it but that.
    let [letter] = &texts.dead_letters(10).await.unwrap()[..] else { panic!("it is gone") };
    assert_eq!((letter.item.as_deref(), &letter.unreadable), (Some("not a number"), &None));
    assert!(numbers().discard(letter.id).await.unwrap());
}
