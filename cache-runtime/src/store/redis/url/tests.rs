use crate::store::redis::url::*;

fn tcp(host: &str, port: u16) -> Endpoint {
    Endpoint::Tcp { host: host.to_owned(), port }
}

fn parse(url: &str) -> ServerUrl {
    ServerUrl::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

#[test]
fn one_server() {
    for (url, endpoint, database) in [
        ("redis://localhost", tcp("localhost", 6379), 0),
        ("redis://localhost/", tcp("localhost", 6379), 0),
        ("valkey://10.0.0.1:7000/3", tcp("10.0.0.1", 7000), 3),
        ("redis://[::1]", tcp("::1", 6379), 0),
        ("redis://[fe80::1]:7000?db=2", tcp("fe80::1", 7000), 2),
        ("redis+unix:///run/redis.sock", Endpoint::Unix("/run/redis.sock".into()), 0),
        ("redis+unix:///run/my%20redis.sock?db=1", Endpoint::Unix("/run/my redis.sock".into()), 1),
    ] {
        let parsed = parse(url);
        assert_eq!(parsed.topology, Topology::Single(endpoint), "{url}");
        assert_eq!(parsed.access.database, database, "{url}");
    }
}

#[test]
fn several_servers() {
    assert_eq!(
        parse("redis+cluster://a,b:7001,[::1]").topology,
        Topology::Cluster(vec![tcp("a", 6379), tcp("b", 7001), tcp("::1", 6379)])
    );
    let parsed = parse("valkey+sentinel://:pw@a,b:7001/my%2Fmaster/4");
    let sentinels = vec![tcp("a", 26379), tcp("b", 7001)];
    assert_eq!(parsed.topology, Topology::Sentinel { sentinels, master: "my/master".to_owned() });
    assert_eq!(parsed.access.database, 4);
}

#[test]
fn credentials_are_decoded() {
    for (url, user, password) in [
        ("redis://host", None, None),
        ("redis://:s3cret@host", None, Some("s3cret")),
        ("redis://ann:s3cret@host", Some("ann"), Some("s3cret")),
        ("redis://ann:p%40%2F%3A%25@host", Some("ann"), Some("p@/:%")),
        ("redis://ann:a@b@host", Some("ann"), Some("a@b")),
        ("redis+unix://ann:s3cret@/run/redis.sock", Some("ann"), Some("s3cret")),
        // A user without a password is that user, and not `default`.
        ("redis://ann:@host", Some("ann"), Some("")),
        ("redis://%61nn:@host", Some("ann"), Some("")),
        ("redis://a%3An:@host", Some("a:n"), Some("")),
        ("redis+unix://ann:@/run/redis.sock", Some("ann"), Some("")),
        ("redis+cluster://ann:@a,b", Some("ann"), Some("")),
        ("redis+sentinel://ann:@a,b/master", Some("ann"), Some("")),
        // As templates of URLs leave it behind where no password is set.
        ("redis://:@host", None, None),
        ("redis://@host", None, None),
    ] {
        let access = parse(url).access;
        assert_eq!((access.user.as_deref(), access.password.as_deref()), (user, password), "{url}");
    }
}

#[test]
fn tls_needs_its_feature() {
    for url in
        ["rediss://host", "valkeys://host", "rediss+cluster://host", "rediss+sentinel://host/m"]
    {
        assert_eq!(
            ServerUrl::parse(url).is_ok_and(|parsed| parsed.access.tls),
            cfg!(feature = "tls"),
            "{url}"
        );
    }
    assert!(ServerUrl::parse("rediss+unix:///run/redis.sock").is_err());
}

#[test]
fn malformed_urls_say_what_to_write() {
    for (url, hint) in [
        ("", "redis://host"),
        ("localhost:6379", "redis://host"),
        ("http://host", "redis://host"),
        ("redis+udp://host", "redis+unix:///path"),
        ("redis://", "the host is missing"),
        ("redis://host:", "1 to 65535"),
        ("redis://host:0", "1 to 65535"),
        ("redis://host:70000", "1 to 65535"),
        ("redis://::1", "`[::1]`"),
        ("redis://[::1", "`[::1]`"),
        ("redis://[::1]7000", "only `:port`"),
        ("redis://host/zero", "redis://host/0"),
        ("redis://host/1?db=1", "twice"),
        ("redis://host?protocol=resp3", "?db=<number>"),
        ("redis://host#1", "%23"),
        ("redis://a,b", "redis+cluster://"),
        ("redis://ann@host", "user:password@host"),
        ("redis://ann@host", "`user:@host` for a user without a password"),
        ("redis+sentinel://ann@host/master", "`user:@host`"),
        ("redis://:100%@host", "%25"),
        ("redis://:%ff@host", "%25"),
        ("redis+cluster://host/1", "no databases but 0"),
        ("redis+sentinel://host", "host,host/master"),
        ("redis+unix://run/redis.sock", "redis+unix:///run/redis.sock"),
    ] {
        match ServerUrl::parse(url) {
            Ok(parsed) => panic!("{url}: {parsed:?}"),
            Err(error) => assert!(error.to_string().contains(hint), "{url}: {error}"),
        }
    }
}

/// A password that was not encoded ends up in host, port, path or query; none of them is ever
/// repeated.
#[test]
fn nothing_repeats_credentials() {
    for separator in ["", "/", "?", "#", "@", ":", ",", "%", "[", "]", "://", "+"] {
        for template in [
            "redis://SECRET@host",
            "redis://user:SECRET@host",
            "redis://:SECRET@host:1/2",
            "redis+cluster://:SECRET@a,b",
            "redis+sentinel://:SECRET@a,b/master",
            "SECRET",
        ] {
            let url = template.replace("SECRET", &format!("hunter{separator}hunter"));
            let said = match ServerUrl::parse(&url) {
                // A host or a database may be anything that the URL puts there.
                Ok(ServerUrl { access, .. }) => format!("{access:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!said.contains("hunter"), "{url}: {said}");
        }
    }
}
