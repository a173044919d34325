use std::time::Duration;

use tokio::task::JoinSet;

use crate::LIMIT;
use crate::redis::{Client, Data, Program, RedisServer, requires};

#[tokio::test]
async fn many_servers_start_at_once_each_for_itself() {
    let mut servers = JoinSet::new();
    for number in 0..8 {
        servers.spawn(async move {
            let server = RedisServer::start().await;
            let client = Client::connect(&server.url()).await;
            client.set("number", number.to_string()).await;
            let seen = server.client().await.get("number").await;
            assert_eq!(seen, Some(number.to_string().into_bytes()));
            server
        });
    }
    let servers = servers.join_all().await;
    let mut ports: Vec<u16> = servers.iter().map(RedisServer::port).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 8);
}

#[tokio::test]
async fn another_client_can_do_what_the_tests_need() {
    let server = RedisServer::start().await;
    let client = server.client().await;
    client.set("a", b"\x00\xff").await;
    assert_eq!(client.get("a").await.as_deref(), Some(&b"\x00\xff"[..]));
    assert_eq!(client.pttl("a").await, None);
    client.run::<()>(&["PEXPIRE", "a", "100000"]).await;
    assert!(client.pttl("a").await.is_some_and(|left| left <= Duration::from_secs(100)));
    assert_eq!(client.keys().await, ["a"]);
    assert!(client.del("a").await);
    assert!(!client.unlink("a").await);
    client.set("b", "").await;
    client.flush_all().await;
    assert_eq!(client.keys().await, [""; 0]);
    let script: String = client.run(&["SCRIPT", "LOAD", "return 1"]).await;
    client.script_flush().await;
    assert!(client.try_run::<()>(&["EVALSHA", &script, "0"]).await.is_err());
    client.config_set("maxmemory", "1000000").await;
    let limit: Vec<String> = client.run(&["CONFIG", "GET", "maxmemory"]).await;
    assert_eq!(limit, ["maxmemory", "1000000"]);
}

#[tokio::test]
async fn commandstats_count_the_commands_of_others() {
    let server = RedisServer::start().await;
    let client = server.client().await;
    client.set("a", "1").await;
    server.reset_commandstats().await;
    assert!(server.commandstats().await.is_empty());
    client.get("a").await;
    client.get("b").await;
    client.run::<()>(&["EVAL", "redis.call('del', 'a')", "0"]).await;
    let calls = server.commandstats().await;
    let calls: Vec<(&str, u64)> = calls.iter().map(|(name, calls)| (&name[..], *calls)).collect();
    assert_eq!(calls, [("del", 1), ("eval", 1), ("get", 2)]);
}

#[tokio::test]
async fn a_password_is_needed_where_one_is_set() {
    let server = RedisServer::builder()
        .password("secret")
        .user("limited", "on >pw ~* +@all -eval")
        .start()
        .await;
    Client::connect(&server.url()).await.set("a", "1").await;
    assert!(server.client().await.del("a").await);

    let stranger = Client::connect(&server.url_without_password()).await;
    let refusal = stranger.try_run::<()>(&["GET", "a"]).await.expect_err("no password");
    assert_eq!(refusal.code(), Some("NOAUTH"));

    let limited = Client::connect(&server.url_as("limited", "pw")).await;
    assert_eq!(limited.get("a").await, None);
    let refusal = limited.try_run::<()>(&["EVAL", "return 1", "0"]).await.expect_err("no EVAL");
    assert_eq!(refusal.code(), Some("NOPERM"));
    assert!(Client::try_connect(&server.url_as("limited", "wrong")).await.is_err());
}

#[tokio::test]
async fn a_tls_server_proves_itself_by_its_own_authority() {
    requires!(Program::get().has_tls(), "TLS");
    let server = RedisServer::builder().tls().start().await;
    assert!(Client::try_connect(&server.url()).await.is_err(), "nobody knows that authority");
    let plain = Client::connect(&server.url().replace("rediss", "redis")).await;
    let answer = plain.try_run::<String>(&["PING"]).await;
    assert!(answer.is_err(), "the port speaks nothing but TLS");

    let authority = std::fs::read(server.ca_certificate()).expect("is there");
    let certificates = redis::TlsCertificates { client_tls: None, root_cert: Some(authority) };
    let client = redis::Client::build_with_tls(server.url(), certificates).expect("is valid");
    let patient = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(LIMIT))
        .set_response_timeout(Some(LIMIT));
    let connect = || client.get_multiplexed_async_connection_with_config(&patient);
    let mut connection = connect().await.expect("is trusted");
    redis::cmd("PING").exec_async(&mut connection).await.expect("answers");

    server.restart(Data::Lost).await;
    connect().await.expect("the same authority after a restart");
}

#[tokio::test]
#[should_panic(expected = "no-such-setting")]
async fn a_server_that_cannot_start_says_why() {
    RedisServer::builder().setting("no-such-setting yes").start().await;
}
