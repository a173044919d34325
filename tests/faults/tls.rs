//! A server that cannot show who it is.

use std::fs;

use cache_fixtures::driver::Driver;
use cache_testing::children::{self, Child, Parent, this_test};
use cache_testing::log;
use cache_testing::redis::{Data, Program, RedisServer, requires};

/// In a process of its own, since the system's certificates are read once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_certificate() {
    if let Some(parent) = children::parent() {
        return trust_one_authority(parent).await;
    }
    requires!(Program::get().has_tls(), "TLS");
    let trusted = RedisServer::builder().tls().start().await;
    let server = RedisServer::builder().tls().start().await;
    let authority = trusted.ca_certificate();
    let variables = [("SSL_CERT_FILE", authority.as_os_str())];
    let mut child = Child::spawn_with(&this_test!(), 0, &server.url(), variables);
    child.expect("refused").await;
    for name in ["server.crt", "server.key"] {
        let (from, to) = (trusted.directory().join(name), server.directory().join(name));
        fs::copy(from, to).expect("both servers have certificates");
    }
    server.restart(Data::Lost).await;
    child.say("mended").await;
    println!("{}", child.hear::<Vec<String>>().await.join("\n"));
    child.finish().await;
}

async fn trust_one_authority(mut parent: Parent) {
    let driver = Driver::patient_at(&parent.setup::<String>());
    driver.fault();
    driver.calls(2_000).await;
    let lines = log::warnings(None);
    assert!(lines.iter().any(|line| line.contains("certificate is not trusted")), "{lines:?}");
    assert!(lines.len() <= 2, "{lines:?}");
    parent.say("refused");
    parent.expect("mended").await;
    driver.healed().await;
    parent.say(&driver.end("TLS with an unknown certificate").await.figures);
}
