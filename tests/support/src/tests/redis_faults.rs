use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::barrier::eventually;
use crate::redis::{Client, Data, RedisServer};
use crate::within_limit;

#[tokio::test]
async fn a_killed_server_refuses_and_restarts_empty_on_its_port() {
    let server = RedisServer::start().await;
    let (url, pid) = (server.url(), server.pid());
    server.client().await.set("a", "1").await;
    server.kill();
    assert!(refuses(server.port()).await);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());

    server.restart(Data::Lost).await;
    assert_eq!(server.url(), url);
    assert_ne!(server.pid(), pid);
    assert_eq!(Client::connect(&url).await.keys().await, [""; 0]);
}

#[tokio::test]
async fn a_restart_waits_for_its_port() {
    let server = RedisServer::start().await;
    server.kill();
    let squatter = TcpListener::bind(("127.0.0.1", server.port())).await.expect("is free");
    let log = server.directory().join("redis.log");
    tokio::join!(server.restart(Data::Lost), async {
        eventually!(std::fs::read_to_string(&log).is_ok_and(|log| log.contains("already in use")));
        drop(squatter);
    });
    Client::connect(&server.url()).await.set("a", "1").await;
}

#[tokio::test]
async fn a_durable_server_restarts_with_its_data_or_without() {
    let server = RedisServer::builder().durable().start().await;
    server.client().await.set("a", "1").await;
    server.kill();
    server.restart(Data::Kept).await;
    assert_eq!(server.client().await.get("a").await.as_deref(), Some(&b"1"[..]));
    server.restart(Data::Lost).await;
    assert_eq!(server.client().await.get("a").await, None);
}

#[tokio::test]
async fn a_loading_server_says_so() {
    let server = RedisServer::builder().durable().setting("key-load-delay 200").start().await;
    let fill = "for number = 1, 100000 do redis.call('SET', number, '') end";
    server.client().await.run::<()>(&["EVAL", fill, "0"]).await;
    server.restart_loading().await;
    let client = server.client().await;
    let refusal = client.try_run::<()>(&["GET", "0"]).await.expect_err("20 s of loading");
    assert_eq!(refusal.code(), Some("LOADING"));
}

#[tokio::test]
async fn a_server_can_be_down_from_the_start() {
    let server = RedisServer::builder().down();
    assert!(refuses(server.port()).await);
    server.restart(Data::Lost).await;
    assert!(!refuses(server.port()).await);
}

#[tokio::test]
async fn a_stopped_server_accepts_and_does_not_answer() {
    let server = RedisServer::start().await;
    let client = Client::connect(&server.url()).await;
    server.stop();
    assert!(!refuses(server.port()).await);
    let mut answer = std::pin::pin!(client.get("a"));
    let silence = tokio::time::timeout(Duration::from_millis(100), &mut answer).await;
    assert!(silence.is_err(), "{silence:?}");
    server.cont();
    assert_eq!(within_limit("the answer", answer).await, None);
}

#[tokio::test]
async fn a_stopped_server_can_be_killed() {
    let server = RedisServer::start().await;
    server.stop();
    server.kill();
    assert!(refuses(server.port()).await);
}

#[tokio::test]
async fn a_server_ends_with_the_test_that_panics() {
    let (tell, told) = std::sync::mpsc::channel();
    let test = tokio::spawn(async move {
        let server = RedisServer::start().await;
        tell.send((server.port(), server.pid())).expect("is waited for");
        panic!("this panic is part of a test");
    });
    assert!(test.await.is_err());
    let (port, pid) = told.recv().expect("was sent");
    assert!(refuses(port).await);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

async fn refuses(port: u16) -> bool {
    match TcpStream::connect(("127.0.0.1", port)).await {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
            true
        }
    }
}
