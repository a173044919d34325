//! Servers that run no Lua scripts: from the beginning, or at times.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::{Cache, cached, invalidates};
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::redis::{Client, Program, RedisServer, requires};

const ALL: &str = "on >secret ~* +@all";
const NO_SCRIPTS: &str = "on >secret ~* +@all -eval -evalsha";

const LOST: &str = "runs no Lua scripts";
const REGAINED: &str = "runs Lua scripts; values are stored again";

/// A row, and how often it was loaded.
#[derive(Debug, Default)]
struct Row {
    value: AtomicU64,
    loads: AtomicU64,
}

impl Row {
    fn load(&self) -> u64 {
        self.loads.fetch_add(1, SeqCst);
        self.value.load(SeqCst)
    }

    fn loads(&self) -> u64 {
        self.loads.load(SeqCst)
    }
}

#[cached(key = "row:<id>", ttl = "1h", lock(lease = "1h"), tags = ["rows"], skip(row))]
async fn row(row: &Row, id: u64) -> u64 {
    row.load()
}

#[invalidates(row(id))]
async fn write(row: &Row, id: u64, value: u64) {
    row.value.store(value, SeqCst);
}

#[invalidates(tag = "rows")]
async fn write_tagged(row: &Row, value: u64) {
    row.value.store(value, SeqCst);
}

#[invalidates(pattern = "row:*")]
async fn write_matching(row: &Row, value: u64) {
    row.value.store(value, SeqCst);
}

fn cache(url: &str) -> Cache {
    log::capture();
    patient().connect(url).unwrap()
}

/// Lines about a server that say this.
fn lines(port: u16, what: &str) -> usize {
    log::about(port).iter().filter(|line| line.contains(what)).count()
}

/// How many commands the server has refused, but for those by which it is asked again whether
/// scripts run: an `EVAL` and an `EVALSHA` each time.
///
/// Where an `EVAL` was carried out it is less than none: what counts is whether it grows.
async fn refused(admin: &Client) -> i64 {
    let stats: String = admin.run(&["INFO", "all"]).await;
    let counts = stats.lines().filter_map(|line| line.split_once(":count=")?.1.parse::<i64>().ok());
    let evals = stats.lines().find(|line| line.starts_with("cmdstat_eval:")).unwrap_or_default();
    let number = |field: &str| {
        let number = evals.split_once(field).and_then(|(_, rest)| rest.split(',').next());
        number.map_or(0, |number| number.parse::<i64>().unwrap())
    };
    counts.sum::<i64>() - 2 * (number(":calls=") + number("rejected_calls="))
}

async fn connections(admin: &Client) -> String {
    let stats: String = admin.run(&["INFO", "stats"]).await;
    stats.lines().find(|line| line.starts_with("total_connections_received")).unwrap().to_owned()
}

/// Bodies run, nobody waits for a lease that nobody can fill, invalidations get through, and the
/// server is not sent what it has refused.
async fn goes_without(server: &RedisServer, cache: &Cache, stored: &Row) {
    let (admin, row_of_others) = (server.client().await, &stored.value);
    let own = Row::default();
    cache
        .scope(async {
            assert_eq!(row(&own, 7).await, 0);
            let before = (refused(&admin).await, connections(&admin).await);
            for loads in 2..10 {
                assert_eq!(row(&own, 7).await, 0);
                assert_eq!(own.loads(), loads, "nothing can be stored, and nobody waits");
            }
            // What others have stored is served, until it is invalidated.
            let loads = stored.loads();
            assert_eq!(row(stored, 1).await, row_of_others.load(SeqCst));
            assert_eq!(stored.loads(), loads, "a hit");
            write(stored, 1, 100).await;
            write_matching(&own, 0).await;
            assert_eq!(row(stored, 1).await, 100);
            eventually!(cache.stats().journal_depth == 0);
            assert_eq!(before, (refused(&admin).await, connections(&admin).await));
        })
        .await;
    // The stamp of the tag is by whoever runs scripts.
    let keys = admin.keys().await;
    assert!(keys.iter().all(|key| !key.starts_with("row:")), "no lease: {keys:?}");
    assert_eq!(lines(server.port(), LOST), 1, "{:#?}", log::about(server.port()));
}

/// Entries that a client with scripts has stored, as they are in Redis.
async fn entries(stored: &Row) -> Vec<(String, Vec<u8>)> {
    let server = RedisServer::start().await;
    cache(&server.url()).scope(row(stored, 1)).await;
    let client = server.client().await;
    let mut entries = Vec::new();
    for key in client.keys().await {
        let record = client.get(&key).await.unwrap();
        entries.push((key, record));
    }
    entries
}

#[tokio::test]
async fn disabled_commands() {
    let stored = Row::default();
    let entries = entries(&stored).await;
    for renamed in [&["EVAL", "EVALSHA"][..], &["EVAL"], &["EVALSHA"]] {
        let mut builder = RedisServer::builder();
        for command in renamed {
            builder = builder.setting(&format!("rename-command {command} \"\""));
        }
        let server = builder.start().await;
        let client = server.client().await;
        for (key, record) in &entries {
            client.set(key, record).await;
        }
        goes_without(&server, &cache(&server.url()), &stored).await;
        log::says(server.port(), "`EVAL` or `EVALSHA` is disabled there, or has another name");
        stored.value.store(0, SeqCst);
    }
}

#[tokio::test]
async fn a_user_without_permission() {
    let server = RedisServer::builder().user("app", NO_SCRIPTS).start().await;
    let stored = Row::default();
    let others = cache(&server.unix_url());
    others.scope(row(&stored, 1)).await;
    let cache = cache(&server.url_as("app", "secret"));
    goes_without(&server, &cache, &stored).await;
    log::says(server.port(), "permit the user `+eval +evalsha`");

    // What this process writes, others see, by whatever it is invalidated; and the other way round.
    for value in 1..4 {
        others.scope(row(&stored, 1)).await;
        cache
            .scope(async {
                match value {
                    1 => write(&stored, 1, value).await,
                    2 => write_tagged(&stored, value).await,
                    _ => write_matching(&stored, value).await,
                }
            })
            .await;
        assert_eq!(others.scope(row(&stored, 1)).await, value);
    }
    others.scope(write(&stored, 1, 5)).await;
    assert_eq!(cache.scope(row(&stored, 1)).await, 5);
}

/// Valkey has Lua in a module, from version 9 on.
#[tokio::test]
async fn a_server_without_its_lua_module() {
    requires!(Program::get().is_valkey_from(9, 0), "module that runs Lua");
    let server = RedisServer::builder().setting("enable-module-command yes").start().await;
    let admin = server.client().await;
    admin.run::<()>(&["MODULE", "UNLOAD", "lua"]).await;
    let stored = Row::default();
    for (key, record) in entries(&stored).await {
        admin.set(&key, record).await;
    }
    goes_without(&server, &cache(&server.url()), &stored).await;
    log::says(server.port(), "it has no Lua engine");
}

/// The permission is taken away while a body runs, and given back.
#[tokio::test]
async fn permission_comes_and_goes() {
    let server = RedisServer::builder().user("app", ALL).start().await;
    let (admin, port) = (server.client().await, server.port());
    let (cache, own) = (cache(&server.url_as("app", "secret")), Row::default());
    cache
        .scope(async {
            for round in 1..3 {
                let loads = own.loads();
                row(&own, 1).await;
                row(&own, 1).await;
                assert_eq!(own.loads(), loads + 1, "stored");

                admin.run::<()>(&["ACL", "SETUSER", "app", "-eval", "-evalsha"]).await;
                write(&own, 1, round).await;
                // By the write, or by the journal, which got it when the fence was refused.
                eventually!(cache.stats().journal_depth == 0);
                assert_eq!(lines(port, LOST), usize::try_from(round).unwrap());
                for _ in 0..5 {
                    assert_eq!(row(&own, 1).await, round);
                }
                assert_eq!(own.loads(), loads + 6);
                assert_eq!(lines(port, LOST), usize::try_from(round).unwrap());

                admin.run::<()>(&["ACL", "SETUSER", "app", "+eval", "+evalsha"]).await;
                eventually!(lines(port, REGAINED) == usize::try_from(round).unwrap());
            }
            assert_eq!(row(&own, 1).await, 2);
        })
        .await;
    let connected = lines(port, "connected");
    assert_eq!(connected, 1, "{:#?}", log::about(port));
}

/// While it loads, its server has run out of memory.
#[cached(key = "big:<id>", ttl = "1h", lock(lease = "1h"), skip(admin))]
async fn big(admin: &Client, id: u64) -> String {
    admin.config_set("maxmemory", "1").await;
    "x".repeat(100)
}

/// Others would wait for it until it expires.
#[tokio::test]
async fn a_lease_whose_value_is_refused_is_given_up() {
    let server = RedisServer::start().await;
    let admin = server.client().await;
    let cache = patient().connect(&server.url()).unwrap();
    cache.scope(big(&admin, 1)).await;
    assert_eq!(cache.stats().function("big").unwrap().store_refused, 1);
    eventually!(admin.keys().await.is_empty());
    assert!(cache.flush(Duration::ZERO).await.is_ok());
}
