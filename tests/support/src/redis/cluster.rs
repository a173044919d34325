//! A real cluster of one's own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{Builder, Client, Program, RedisServer};
use crate::barrier::eventually;
use crate::ports::Port;
use crate::within_limit;

const SLOTS: usize = 16_384;

/// How far the bus of a node is from its port before Redis 7, where that is no setting.
const BUS: u16 = 10_000;

/// Longer than nodes try a failover by hand, if others are too busy to vote.
const BY_HAND: Duration = Duration::from_secs(6);

/// Primaries that share the slots, and a replica of each where there are any. All end with this
/// value.
#[derive(Debug)]
pub struct RedisCluster {
    /// First the primaries, then their replicas in the same order, as they were at the start.
    nodes: Vec<RedisServer>,
    primaries: usize,
    buses: Vec<Port>,
}

impl RedisCluster {
    /// Three primaries without replicas. One that is lost takes nothing with it but its own slots.
    pub async fn start() -> Self {
        Self::of(3, false, &RedisServer::builder()).await
    }

    /// Three primaries, each with a replica that is promoted when it is lost.
    pub async fn with_replicas() -> Self {
        Self::of(3, true, &RedisServer::builder()).await
    }

    /// A cluster of nodes that are like `node`.
    pub async fn of(primaries: usize, replicas: bool, node: &Builder) -> Self {
        let count = if replicas { 2 * primaries } else { primaries };
        let (mut nodes, mut buses) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (node, bus) = start(node, replicas).await;
            nodes.push(node);
            buses.push(bus);
        }
        let cluster = Self { nodes, primaries, buses };
        cluster.meet().await;
        if replicas {
            cluster.replicate().await;
        }
        cluster.is_ok().await;
        cluster
    }

    /// Where clients connect, by all nodes.
    pub fn url(&self) -> String {
        self.url_by(&(0..self.nodes.len()).collect::<Vec<_>>())
    }

    /// Where clients connect, by some nodes.
    pub fn url_by(&self, nodes: &[usize]) -> String {
        let hosts = nodes.iter().map(|node| format!("127.0.0.1:{}", self.nodes[*node].port()));
        let hosts: Vec<_> = hosts.collect();
        match &self.nodes[0].options.password {
            Some(password) => format!("redis+cluster://:{password}@{}", hosts.join(",")),
            None => format!("redis+cluster://{}", hosts.join(",")),
        }
    }

    /// One node; those below the number of primaries began as such.
    pub fn node(&self, number: usize) -> &RedisServer {
        &self.nodes[number]
    }

    /// The nodes that began as primaries.
    pub fn primaries(&self) -> &[RedisServer] {
        &self.nodes[..self.primaries]
    }

    /// Begins the counts of [`RedisCluster::commandstats`] anew.
    pub async fn reset_commandstats(&self) {
        for node in self.primaries() {
            node.reset_commandstats().await;
        }
    }

    /// Calls per command on each of [`RedisCluster::primaries`]. Questions about the cluster
    /// itself, and what a connection for them says of its client, are left out: a cache asks them
    /// when it sees fit.
    pub async fn commandstats(&self) -> Vec<BTreeMap<String, u64>> {
        let mut nodes = Vec::new();
        for node in self.primaries() {
            let mut calls = node.commandstats().await;
            calls.retain(|command, _| {
                !matches!(command.split('|').next(), Some("client" | "cluster"))
            });
            nodes.push(calls);
        }
        nodes
    }

    /// The number of the primary that had a key's slot at the start.
    pub async fn home(&self, key: &str) -> usize {
        let slot = self.slot(key).await;
        (0..self.primaries).find(|node| self.range(*node).contains(&slot)).expect("a slot")
    }

    /// `CLUSTER KEYSLOT`
    pub async fn slot(&self, key: &str) -> usize {
        self.node(0).client().await.run(&["CLUSTER", "KEYSLOT", key]).await
    }

    /// Begins to move a slot: keys that are not on `from` any more are asked for on `to`.
    pub async fn begin_move(&self, slot: usize, from: usize, to: usize) {
        let slot = slot.to_string();
        let (source, target) = (self.node(from).client().await, self.node(to).client().await);
        let (source_id, target_id) = (id(&source).await, id(&target).await);
        target.run::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source_id]).await;
        source.run::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target_id]).await;
    }

    /// Moves the keys that are in a slot now; how many there were.
    pub async fn move_keys(&self, slot: usize, from: usize, to: usize) -> usize {
        let source = self.node(from).client().await;
        let keys = ["CLUSTER", "GETKEYSINSLOT", &slot.to_string(), "1000"];
        let keys: Vec<String> = source.run(&keys).await;
        let port = self.node(to).port().to_string();
        for key in &keys {
            // What is gone by now needs no move.
            let migrate = ["MIGRATE", "127.0.0.1", &port, key, "0", "10000"];
            source.run::<String>(&migrate).await;
        }
        keys.len()
    }

    /// The slot has moved: its keys are on `to`.
    pub async fn end_move(&self, slot: usize, from: usize, to: usize) {
        let target = self.node(to).client().await;
        let target_id = id(&target).await;
        for node in [to, from] {
            let client = self.node(node).client().await;
            client.run::<()>(&["CLUSTER", "SETSLOT", &slot.to_string(), "NODE", &target_id]).await;
        }
    }

    /// Moves a slot with all its keys.
    pub async fn move_slot(&self, slot: usize, from: usize, to: usize) {
        self.begin_move(slot, from, to).await;
        while self.move_keys(slot, from, to).await > 0 {}
        self.end_move(slot, from, to).await;
    }

    /// Moves a slot with all its keys at once, as Valkey can from version 9 on, and otherwise key
    /// by key.
    pub async fn move_slot_at_once(&self, key: &str, from: usize, to: usize) {
        let (slot, target) = (self.slot(key).await, self.node(to).client().await);
        let (text, id) = (slot.to_string(), id(&target).await);
        let migrate = ["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", &text, &text, "NODE", &id];
        if self.node(from).client().await.run_here::<()>(&migrate).await.is_err() {
            return self.move_slot(slot, from, to).await;
        }
        // Until then it says who has the slot.
        eventually!(target.run_here::<u64>(&["EXISTS", key]).await.is_ok());
    }

    /// The slots that a node began with, if it was a primary.
    pub fn range(&self, node: usize) -> std::ops::Range<usize> {
        SLOTS * node / self.primaries..SLOTS * (node + 1) / self.primaries
    }

    /// Gives out the slots, and has the nodes know each other.
    async fn meet(&self) {
        let first = self.node(0).client().await;
        for (number, node) in self.nodes.iter().enumerate() {
            let client = node.client().await;
            if number < self.primaries {
                let range = self.range(number);
                let slots: Vec<_> = range.map(|slot| slot.to_string()).collect();
                let add = ["CLUSTER", "ADDSLOTS"].into_iter();
                let add: Vec<_> = add.chain(slots.iter().map(String::as_str)).collect();
                client.run::<()>(&add).await;
            }
            let epoch = (number + 1).to_string();
            client.run::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await;
        }
        for node in &self.nodes {
            let client = node.client().await;
            eventually!({
                self.introduce(&first).await;
                let nodes = nodes(&client).await;
                nodes.matches(" connected").count() == self.nodes.len()
                    && !nodes.contains("handshake")
            });
        }
    }

    /// Has the first node meet those that it does not know. A node that does not answer for a while
    /// is forgotten.
    async fn introduce(&self, first: &Client) {
        let known = nodes(first).await;
        for (node, bus) in self.nodes.iter().zip(&self.buses) {
            let (port, bus) = (node.port().to_string(), bus.number().to_string());
            if !known.contains(&format!(":{port}@{bus}")) {
                first.run::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await;
            }
        }
    }

    async fn replicate(&self) {
        for (primary, replica) in
            self.nodes[..self.primaries].iter().zip(&self.nodes[self.primaries..])
        {
            let primary = id(&primary.client().await).await;
            let replica = replica.client().await;
            eventually!(nodes(&replica).await.contains(&primary));
            replica.run::<()>(&["CLUSTER", "REPLICATE", &primary]).await;
        }
        for replica in &self.nodes[self.primaries..] {
            let replica = replica.client().await;
            eventually!({
                let info: String = replica.run(&["INFO", "replication"]).await;
                info.contains("master_link_status:up")
            });
        }
    }

    /// A replica takes over from its primary once it has everything: a failover by hand, which
    /// loses nothing.
    pub async fn fail_over(&self, replica: usize) {
        let client = self.node(replica).client().await;
        let says =
            async |what: &str| client.run::<String>(&["INFO", "replication"]).await.contains(what);
        let promoted = async {
            while !says("role:master").await {
                // An error says that it hears nothing of its primary for the moment.
                let begun = client.try_run::<()>(&["CLUSTER", "FAILOVER"]).await.is_ok();
                let given_up = Instant::now() + if begun { BY_HAND } else { Duration::ZERO };
                eventually!(says("role:master").await || Instant::now() > given_up);
            }
        };
        within_limit("a replica takes over", promoted).await;
    }

    /// Waits until every node says that all is well, and knows every slot, and every replica as
    /// such.
    pub async fn is_ok(&self) {
        let slots = format!("cluster_slots_ok:{SLOTS}\r");
        for node in &self.nodes {
            let client = node.client().await;
            eventually!({
                let info: String = client.run(&["CLUSTER", "INFO"]).await;
                // The state is called so as soon as most of the primaries are there, their slots
                // known or not.
                info.contains("cluster_state:ok") && info.contains(&slots)
            });
        }
        eventually!({
            let mut views = BTreeSet::new();
            for node in &self.nodes {
                let nodes = nodes(&node.client().await).await;
                let replicas =
                    nodes.matches(" slave ").count() + nodes.matches("myself,slave").count();
                views.insert((nodes.contains("fail"), replicas));
            }
            views == BTreeSet::from([(false, self.nodes.len() - self.primaries)])
        });
    }
}

/// A node, and the port on which it speaks to the others.
async fn start(node: &Builder, replicas: bool) -> (RedisServer, Port) {
    // Long enough for a machine that is busy; where a failover is waited for, not longer than that.
    let timeout = if replicas { 4_000 } else { 10_000 };
    let node = node
        .clone()
        .setting("cluster-enabled yes")
        .setting("cluster-config-file nodes.conf")
        .setting(&format!("cluster-node-timeout {timeout}"))
        .setting("cluster-require-full-coverage no")
        // However long it takes others to vote: a replica that heard its primary long ago stands,
        // too.
        .setting("cluster-replica-validity-factor 0")
        .setting("repl-diskless-sync-delay 0")
        .setting("repl-ping-replica-period 1");
    if Program::get().is_redis_from(7, 0) {
        let bus = Port::reserve();
        let node = node.setting(&format!("cluster-port {}", bus.number())).start().await;
        return (node, bus);
    }
    let node = node.start().await;
    let bus = Port::at(node.port() + BUS);
    (node, bus)
}

async fn nodes(client: &Client) -> String {
    client.run(&["CLUSTER", "NODES"]).await
}

async fn id(client: &Client) -> String {
    client.run(&["CLUSTER", "MYID"]).await
}
