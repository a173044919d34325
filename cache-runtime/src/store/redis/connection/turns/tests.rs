use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::store::redis::connection::turns::*;

fn turns(limit: usize) -> Arc<Turns> {
    Turns::new(limit, "test".to_owned())
}

fn soon() -> Deadline {
    Instant::now() + Duration::from_secs(60)
}

/// Whether a future has not ended when it is polled once.
async fn is_waiting(future: &mut (impl Future + Unpin)) -> bool {
    let mut future = Pin::new(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// Lets all tasks go as far as they get.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn first_come_first_served() {
    let (turns, order) = (turns(2), Arc::new(Mutex::new(Vec::new())));
    let mut held = vec![turns.take().unwrap(), turns.take().unwrap()];
    assert!(turns.take().is_none());
    let mut waiting = Vec::new();
    for number in 0..5 {
        let (turns, order) = (Arc::clone(&turns), Arc::clone(&order));
        waiting.push(tokio::spawn(async move {
            let turn = turns.wait(soon()).await.unwrap();
            order.lock().unwrap().push(number);
            turn.answered();
        }));
    }
    settle().await;
    waiting[1].abort();
    settle().await;
    assert!(turns.take().is_none(), "they would be overtaken");
    held.pop();
    settle().await;
    assert_eq!(*order.lock().unwrap(), [0, 2, 3, 4]);
    held.pop();
    assert_eq!(taken(turns.count.load(Relaxed)), 0);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_comes_too_late_goes_to_the_next() {
    let turns = turns(1);
    let held = turns.take().unwrap();
    let (early, late) = (soon(), soon() + Duration::from_secs(1));
    let wait = |by| {
        let turns = Arc::clone(&turns);
        tokio::spawn(async move { turns.wait(by).await.map(drop) })
    };
    let (hasty, patient) = (wait(early), wait(late));
    settle().await;
    tokio::time::advance(Duration::from_secs(60)).await;
    drop(held);
    assert_eq!(hasty.await.unwrap(), Err(StoreError::Saturated));
    assert_eq!(patient.await.unwrap(), Ok(()));
    assert_eq!(taken(turns.count.load(Relaxed)), 0);
}

#[tokio::test(start_paused = true)]
async fn readers_share_what_has_not_been_sent_and_nothing_else() {
    let turns = turns(1);
    let held = turns.take().unwrap();
    let read = |words: &'static [u8], epoch| turns.wait_to_read(epoch, words, soon());
    let mut first = Box::pin(read(b"GET 1", 1));
    let mut second = Box::pin(read(b"GET 1", 1));
    let mut other_key = Box::pin(read(b"GET 2", 1));
    let mut other_connection = Box::pin(read(b"GET 1", 2));
    assert!(is_waiting(&mut first).await && is_waiting(&mut second).await);
    assert!(is_waiting(&mut other_key).await && is_waiting(&mut other_connection).await);
    drop(held);
    let Ok(Reading::Turn(turn, others)) = first.await else { panic!("it was the first") };
    // From now on the command may be on its way.
    let mut third = Box::pin(read(b"GET 1", 1));
    assert!(is_waiting(&mut third).await);
    others.tell(&Ok(RespValue::Int(1)));
    assert!(matches!(second.await, Ok(Reading::Told(Ok(RespValue::Int(1))))));
    assert!(is_waiting(&mut third).await);
    turn.answered();
    assert!(matches!(other_key.await, Ok(Reading::Turn(..))));
    assert!(matches!(other_connection.await, Ok(Reading::Turn(..))));
    assert!(matches!(third.await, Ok(Reading::Turn(..))));
}

#[tokio::test(start_paused = true)]
async fn readers_of_one_who_goes_without_a_word_are_on_their_own() {
    let turns = turns(1);
    let held = turns.take().unwrap();
    let mut readers: Vec<_> =
        (0..3).map(|_| Box::pin(turns.wait_to_read(1, b"GET 1", soon()))).collect();
    for reader in &mut readers {
        assert!(is_waiting(reader).await);
    }
    // One that waits, and then the one whose turn it is.
    drop(readers.remove(0));
    drop(held);
    let Ok(Reading::Turn(turn, others)) = readers.remove(0).await else { panic!("the second") };
    others.tell(&Err(StoreError::TimedOut));
    assert!(matches!(readers.remove(0).await, Ok(Reading::Nothing)));
    drop(turn);
    assert_eq!(taken(turns.count.load(Relaxed)), 0);
}

#[test]
fn a_turn_knows_whether_anybody_was_answered_meanwhile() {
    let turns = turns(3);
    let (first, second) = (turns.take().unwrap(), turns.take().unwrap());
    drop(turns.take());
    assert!(!first.has_heard());
    second.answered();
    assert!(first.has_heard());
    assert!(!turns.take().unwrap().has_heard());
}
