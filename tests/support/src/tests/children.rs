use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::barrier::eventually;
use crate::children::{self, Child, Children, Parent, this_test};
use crate::redis::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_wait_for_each_other_and_report() {
    if let Some(parent) = children::parent() {
        return increment_250_times(parent).await;
    }
    let server = RedisServer::start().await;
    let mut children = Children::spawn(&this_test!(), 4, &server.unix_url());
    children.expect_from_all("ready").await;
    assert_eq!(server.client().await.get("runs").await, None, "nobody has begun");

    children.say_to_all("go").await;
    let mut values: Vec<u64> = children.hear_from_all::<Vec<u64>>().await.concat();
    children.finish().await;

    values.sort_unstable();
    assert_eq!(values, (1..=1_000).collect::<Vec<u64>>());
}

async fn increment_250_times(mut parent: Parent) {
    let client = crate::redis::Client::connect(&parent.setup::<String>()).await;
    parent.say("ready");
    parent.expect("go").await;
    let mut calls = JoinSet::new();
    for _ in 0..250 {
        let client = client.clone();
        calls.spawn(async move { client.run::<u64>(&["INCR", "runs"]).await });
    }
    parent.say(&calls.join_all().await);
}

#[tokio::test]
async fn a_child_knows_its_number_and_its_setup() {
    if let Some(mut parent) = children::parent() {
        parent.say(&(parent.index(), parent.setup::<String>()));
        return parent.expect("bye").await;
    }
    let mut children = Children::spawn(&this_test!(), 2, "two\nlines");
    let heard: Vec<(usize, String)> = children.hear_from_all().await;
    assert_eq!(heard, [(0, "two\nlines".to_owned()), (1, "two\nlines".to_owned())]);
    children.say_to_all("bye").await;
    children.finish().await;
}

/// Says that it has begun, then does nothing until it is killed.
async fn linger(parent: Parent) {
    parent.say(&std::process::id());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_child_is_gone_at_once() {
    if let Some(parent) = children::parent() {
        return linger(parent).await;
    }
    let mut child = Child::spawn(&this_test!(), 0, "");
    let pid: u32 = child.hear().await;
    assert_eq!(pid, child.pid());
    child.kill().await;
    assert!(!exists(pid));
}

#[tokio::test]
async fn a_stopped_child_is_silent_until_it_goes_on() {
    if let Some(mut parent) = children::parent() {
        parent.say("ready");
        parent.expect("answer").await;
        return parent.say("answer");
    }
    let mut child = Child::spawn(&this_test!(), 0, "");
    child.expect("ready").await;
    child.stop();
    child.say("answer").await;
    let silence = tokio::time::timeout(Duration::from_millis(100), child.hear::<String>()).await;
    assert!(silence.is_err(), "{silence:?}");
    child.cont();
    child.expect("answer").await;
    child.finish().await;
}

#[tokio::test]
async fn children_and_servers_end_with_a_parent_that_was_killed() {
    if let Some(parent) = children::parent() {
        return match &parent.setup::<String>()[..] {
            "grandchild" => linger(parent).await,
            _ => start_a_family(parent).await,
        };
    }
    let mut child = Child::spawn(&this_test!(), 0, "child");
    let (grandchild, server, directory): (u32, u32, PathBuf) = child.hear().await;
    assert!(exists(grandchild) && exists(server) && directory.exists());
    child.kill().await;
    eventually!(!exists(grandchild));
    eventually!(!exists(server) && !directory.exists());
}

async fn start_a_family(parent: Parent) {
    let test = "children::children_and_servers_end_with_a_parent_that_was_killed";
    let mut grandchild = Child::spawn(test, 0, "grandchild");
    let server = RedisServer::start().await;
    let grandchild: u32 = grandchild.hear().await;
    parent.say(&(grandchild, server.pid(), server.directory()));
    std::future::pending::<()>().await;
}

#[tokio::test]
#[should_panic(expected = "child 0 ended")]
async fn a_child_that_fails_fails_its_parent() {
    if let Some(_parent) = children::parent() {
        panic!("this panic is part of a test");
    }
    Child::spawn("no_such_test", 0, "").expect("ready").await;
}

#[tokio::test]
async fn a_test_knows_its_name() {
    assert_eq!(this_test!(), "children::a_test_knows_its_name");
}

/// A zombie, which only its adopted parent can bury, does not exist.
fn exists(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z')))
}
