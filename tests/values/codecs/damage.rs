//! Records that were spoilt: each is a counted miss that heals itself, and never an error or a
//! wrong value.

use redis::cmd;

use crate::codecs::fixture::{Fixture, HEADER, ada, packed, posted};

#[tokio::test]
async fn a_truncated_record_heals() {
    let fixture = Fixture::start().await;
    fixture.user(1).await;
    let record = fixture.stored("user:1").await;
    for length in 4..record.len() {
        let spoilt = fixture.heals(&record[..length]).await;
        assert_eq!((spoilt.undecodable, spoilt.total()), (1, 1), "{length}");
    }
}

#[tokio::test]
async fn trailing_bytes_heal() {
    let fixture = Fixture::start().await;
    fixture.user(1).await;
    let mut record = fixture.stored("user:1").await;
    record.push(b'x');
    assert_eq!(fixture.heals(&record).await.undecodable, 1);

    // The other codecs.
    let call = async |load: usize| {
        fixture.client.run::<()>(&["APPEND", "user:1", "\u{1}"]).await;
        assert_eq!(packed(&fixture.runs, 1).await, ada(1));
        assert_eq!(fixture.runs.get(), load, "it has not been read");
        fixture.client.run::<()>(&["DEL", "user:1"]).await;
        assert_eq!(posted(&fixture.runs, 1).await, ada(1));
        fixture.client.run::<()>(&["APPEND", "user:1", "\u{1}"]).await;
        assert_eq!(posted(&fixture.runs, 1).await, ada(1));
        assert_eq!(fixture.runs.get(), load + 2, "it has not been read");
    };
    fixture.client.del("user:1").await;
    fixture.cache.scope(packed(&fixture.runs, 1)).await;
    let load = fixture.runs.get() + 1;
    fixture.cache.scope(call(load)).await;
}

/// What a flipped bit of the header comes to. None of it is a wrong value.
#[tokio::test]
async fn a_flipped_bit_of_the_header_never_gives_a_wrong_value() {
    let fixture = Fixture::start().await;
    fixture.user(1).await;
    let record = fixture.stored("user:1").await;
    for (at, bit) in (0..HEADER).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut spoilt = record.clone();
        spoilt[at] ^= 1 << bit;
        fixture.client.set("user:1", &spoilt).await;
        let before = fixture.runs.get();
        assert_eq!(fixture.user(1).await, ada(1), "byte {at}, bit {bit}");
        assert_eq!(fixture.user(1).await, ada(1), "byte {at}, bit {bit}");
        let loads = fixture.runs.get() - before;
        let kind = spoilt[3];
        let expected = match at {
            // Not ours any more: left alone.
            0 | 1 => 2,
            // A fence or a tombstone: nothing is stored before its end.
            3 if kind == b'F' || kind == b'T' => 2,
            // The format, the kind, the key's hash, version and codec, where the payload begins.
            2 | 3 | 12..20 | 56..=60 | 62 | 63 => 1,
            // The flag of an error: this function remembers none.
            61 if bit == 0 => 1,
            // Which primary, the token, times, cost and the other flags say nothing about the
            // value.
            _ => 0,
        };
        assert_eq!(loads, expected, "byte {at}, bit {bit}");
        // Taken for one of another release, whose value is left where it is.
        let is_elsewhere = (56..60).contains(&at);
        assert_eq!(fixture.client.del("user:1!J0!s").await, is_elsewhere, "byte {at}, bit {bit}");
        let left_alone = loads == 2 || is_elsewhere;
        assert_eq!(fixture.stored("user:1").await == spoilt, left_alone || expected == 0);
    }
}

/// Where the codec can know.
#[tokio::test]
async fn a_flipped_bit_of_the_structure_heals() {
    let fixture = Fixture::start().await;
    fixture.user(1).await;
    let record = fixture.stored("user:1").await;
    let payload = br#"{"id":1,"name":"Ada"}"#;
    assert_eq!(record[HEADER..], payload[..]);
    let structure = (0..payload.len()).filter(|&at| b"{}\":,".contains(&payload[at]));
    for (at, bit) in structure.flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut spoilt = record.clone();
        spoilt[HEADER + at] ^= 1 << bit;
        assert_eq!(fixture.heals(&spoilt).await.undecodable, 1, "byte {at}, bit {bit}");
    }
}

/// `COPY`, `RENAME`, `RESTORE` and a plain `SET` can bring a record to a key that it was not stored
/// for.
#[tokio::test]
async fn a_record_of_another_key_heals() {
    let fixture = Fixture::start().await;
    fixture.user(2).await;
    let record = fixture.stored("user:2").await;
    assert_eq!(fixture.heals(&record).await.misplaced, 1);

    let client = &fixture.client;
    let mut connection = client.connection();
    let dump: Vec<u8> = cmd("DUMP").arg("user:2").query_async(&mut connection).await.unwrap();
    for how in ["COPY", "RESTORE", "RENAME"] {
        client.del("user:1").await;
        match how {
            "COPY" => client.run::<()>(&["COPY", "user:2", "user:1"]).await,
            "RENAME" => client.run::<()>(&["RENAME", "user:2", "user:1"]).await,
            _ => {
                let mut restore = cmd("RESTORE");
                restore.arg("user:1").arg(0).arg(&dump);
                restore.query_async::<()>(&mut connection).await.unwrap();
            }
        }
        let (before, misses) = (fixture.runs.get(), fixture.stats("user").misses());
        assert_eq!(fixture.user(1).await, ada(1), "{how}");
        assert_eq!(fixture.user(1).await, ada(1), "{how}");
        assert_eq!(fixture.runs.get(), before + 1, "{how}");
        assert_eq!(fixture.stats("user").misses(), misses + 1, "{how}");
        assert_eq!(
            fixture.cache.get(&crate::codecs::fixture::user_key(&1)).await.unwrap(),
            Some(ada(1))
        );
    }
    // The connection was not taken for one whose replies have changed places.
    assert_eq!(fixture.stats("user").store_lost, 0);
}

/// By hand, too.
#[tokio::test]
async fn a_spoilt_record_is_none_by_hand() {
    let fixture = Fixture::start().await;
    fixture.user(1).await;
    let record = fixture.stored("user:1").await;
    fixture.user(2).await;
    let other = fixture.stored("user:2").await;
    for spoilt in [&record[..20], &record[..HEADER + 3], &other, b"text"] {
        fixture.client.set("user:1", spoilt).await;
        assert_eq!(fixture.cache.get(&crate::codecs::fixture::user_key(&1)).await.unwrap(), None);
    }
}

/// A record that cannot be read is put over.
#[tokio::test]
async fn a_spoilt_record_is_put_over_and_invalidated() {
    let fixture = Fixture::start().await;
    fixture.user(1).await;
    let record = fixture.stored("user:1").await;
    let key = crate::codecs::fixture::user_key(&1);
    fixture.client.set("user:1", &record[..20]).await;
    fixture.cache.put(&key, &ada(1)).await.unwrap();
    assert_eq!(fixture.cache.get(&key).await.unwrap(), Some(ada(1)));
    fixture.client.set("user:1", &record[..20]).await;
    fixture.cache.invalidate(&key).await.unwrap();
    assert_eq!(fixture.client.get("user:1").await, None);
}
