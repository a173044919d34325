//! What callers at the same time wait for.

use std::sync::mpsc;
use std::thread;

use crate::store::CaptureStamp;
use crate::store::memory::*;

/// Longer than a machine with other work takes to run a thread.
const GENEROUS: Duration = Duration::from_secs(30);

#[test]
fn a_hit_waits_for_no_other_hit() {
    let store = MemoryStore::new(1 << 20);
    let name = Name::new("entry");
    CaptureStamp { need: Duration::from_secs(60) }.execute(&store, name);
    let (send, receive) = mpsc::channel();
    thread::scope(|scope| {
        let hits: Vec<_> = store.shards.iter().map(read).collect();
        scope.spawn(|| send.send(store.read(name, Instant::now())));
        let found = receive.recv_timeout(GENEROUS);
        drop(hits);
        assert!(matches!(found, Ok(Some(_))), "it waits for hits that have not ended");
    });
}
