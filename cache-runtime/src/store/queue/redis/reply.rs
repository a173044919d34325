//! What the queues' scripts reply.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use crate::store::queue::{
    Added, Buried, Crew, Death, Layout, Lengths, Overview, Position, PushTime, ReadReply, Stored,
    Turned,
};
use crate::store::redis::connection::wire::RespValue;
use crate::store::{StoreError, StoreResult};

/// Yes or no.
pub(super) fn decision(reply: &RespValue) -> StoreResult<bool> {
    match reply {
        RespValue::Int(0) => Ok(false),
        RespValue::Int(1) => Ok(true),
        _ => Err(StoreError::Unexpected),
    }
}

/// What became of so many items.
pub(super) fn added(reply: &RespValue, items: usize) -> StoreResult<Vec<Added>> {
    let added = |outcome: &RespValue| match outcome.text()? {
        "K" => Some(Added::Known),
        "F" => Some(Added::Full),
        "L" => Some(Added::Late),
        "M" => Some(Added::Moved),
        other => match other.strip_prefix('B') {
            Some(us) => us.parse().ok().map(Added::Behind),
            None => other.parse().ok().map(Added::New),
        },
    };
    let all = match reply {
        RespValue::Array(outcomes) if outcomes.len() == items => {
            outcomes.iter().map(added).collect()
        }
        _ => None,
    };
    all.ok_or(StoreError::Unexpected)
}

pub(super) fn read(reply: RespValue) -> Option<ReadReply> {
    let RespValue::Array(reply) = reply else { return None };
    let mut reply = reply.into_iter();
    match (reply.next()?.text()?, reply.next(), reply.next(), reply.next()) {
        ("X", None, None, None) => Some(ReadReply::Lost),
        ("R", Some(last), Some(RespValue::Array(items)), Some(epoch)) => Some(ReadReply::Items {
            items: self::items(RespValue::Array(items))?,
            last: position(last.text()?)?,
            epoch: parsed(&epoch)?,
        }),
        _ => None,
    }
}

pub(super) fn buried(reply: RespValue) -> Option<Vec<Buried>> {
    let RespValue::Array(items) = reply else { return None };
    let buried = |item| {
        let (mut stored, mut more) = entry(item)?;
        let Position { generation: ms, number: sequence } = stored.position;
        let mut field = |name: &[u8]| String::from_utf8(more.remove(name)?).ok();
        if let Some(former) = field(b"p").as_deref().and_then(position) {
            stored.position = former;
        }
        let attempts = field(b"n").and_then(|attempts| attempts.parse().ok()).unwrap_or_default();
        let death = Death { ms, sequence };
        Some(Buried { death, stored, error: field(b"e").unwrap_or_default(), attempts })
    };
    items.into_iter().map(buried).collect()
}

pub(super) fn crew(reply: RespValue) -> Option<Crew> {
    let RespValue::Array(reply) = reply else { return None };
    let mut reply = reply.into_iter();
    let (
        Some(RespValue::Int(partitions)),
        Some(RespValue::Array(alive)),
        Some(RespValue::Int(paused)),
        Some(layout),
    ) = (reply.next(), reply.next(), reply.next(), reply.next())
    else {
        return None;
    };
    let alive = alive.iter().map(|worker| worker.text().map(str::to_owned));
    Some(Crew {
        partitions: u32::try_from(partitions).ok()?,
        alive: alive.collect::<Option<_>>()?,
        is_paused: paused != 0,
        layout: self::layout(&layout)?,
    })
}

/// What is known of the layout; nothing where there never was one.
pub(super) fn layout(reply: &RespValue) -> Option<Layout> {
    let RespValue::Array(reply) = reply else { return None };
    let [epoch, spread, us, drains, next, next_spread] = &reply[..] else { return None };
    let next = match (next, next_spread) {
        (RespValue::Nil, _) | (_, RespValue::Nil) => None,
        (next, spread) => Some((parsed(next)?, parsed(spread)?)),
    };
    Some(Layout {
        epoch: parsed_or_none(epoch)?,
        spread: parsed_or_none(spread)?,
        us: parsed_or_none(us)?,
        drains: !matches!(drains, RespValue::Nil),
        next,
    })
}

/// What a partition says to a layout.
pub(super) fn turned(reply: &RespValue) -> Option<Turned> {
    let RespValue::Array(reply) = reply else { return None };
    let [RespValue::Int(left), epoch, us] = &reply[..] else { return None };
    Some(Turned { is_left: *left > 0, epoch: parsed(epoch)?, us: parsed(us)? })
}

fn parsed<N: FromStr>(value: &RespValue) -> Option<N> {
    value.text()?.parse().ok()
}

fn parsed_or_none<N: FromStr + Default>(value: &RespValue) -> Option<N> {
    if matches!(value, RespValue::Nil) { Some(N::default()) } else { parsed(value) }
}

/// What is known of a queue, where anything is.
pub(super) fn known(reply: &RespValue) -> Option<Overview> {
    let RespValue::Array(reply) = reply else { return None };
    let [partitions, paused] = &reply[..] else { return None };
    let partitions = match partitions {
        RespValue::Nil => 0,
        partitions => partitions.text()?.parse().ok()?,
    };
    Some(Overview { partitions, is_paused: !matches!(paused, RespValue::Nil) })
}

/// Until when each worker is believed to be alive, in RESP2 or RESP3.
pub(super) fn deadlines(reply: RespValue) -> Option<Vec<u64>> {
    let fields = match reply {
        RespValue::Map(fields) => fields,
        RespValue::Array(flat) => {
            let mut flat = flat.into_iter();
            std::iter::from_fn(|| Some((flat.next()?, flat.next()?))).collect()
        }
        _ => return None,
    };
    let is_worker = |name: &RespValue| !matches!(name.text(), Some("partitions" | "paused"));
    let workers = fields.iter().filter(|(name, _)| is_worker(name));
    workers.map(|(_, deadline)| parsed(deadline)).collect()
}

/// The members of a set, in RESP2 or RESP3.
pub(super) fn texts(reply: &RespValue) -> Option<Vec<String>> {
    let (RespValue::Array(members) | RespValue::Set(members)) = reply else { return None };
    members.iter().map(|member| member.text().map(str::to_owned)).collect()
}

/// Items of a stream.
pub(super) fn items(reply: RespValue) -> Option<Vec<Stored>> {
    let RespValue::Array(items) = reply else { return None };
    items.into_iter().map(|item| entry(item).map(|(item, _)| item)).collect()
}

/// What `INFO` tells of how durable a server is.
pub(super) fn risk(info: &[RespValue]) -> Option<&'static str> {
    let says = |line: &str| {
        let mut texts = info.iter().filter_map(RespValue::text);
        texts.any(|text| text.lines().any(|other| other.starts_with(line)))
    };
    if says("maxmemory_policy:allkeys") {
        Some("it evicts keys without a time to live (`maxmemory-policy`): items may vanish")
    } else if says("aof_enabled:0") {
        Some("it keeps no append-only file: killed, it loses the items since its last snapshot")
    } else {
        None
    }
}

pub(super) fn lengths(reply: &RespValue) -> Option<Lengths> {
    let RespValue::Array(reply) = reply else { return None };
    let [
        RespValue::Int(length),
        RespValue::Int(pending),
        RespValue::Int(dead),
        RespValue::Int(lag),
    ] = &reply[..]
    else {
        return None;
    };
    let (length, pending) = (u64::try_from(*length).ok()?, u64::try_from(*pending).ok()?);
    Some(Lengths {
        waiting: length.saturating_sub(pending),
        pending,
        dead: u64::try_from(*dead).ok()?,
        lag: Duration::from_micros(u64::try_from(*lag).unwrap_or_default()),
    })
}

type Fields = HashMap<Vec<u8>, Vec<u8>>;

/// An entry of a stream, and the fields that are none of an item.
fn entry(entry: RespValue) -> Option<(Stored, Fields)> {
    let RespValue::Array(entry) = entry else { return None };
    let mut entry = entry.into_iter();
    let position = position(entry.next()?.text()?)?;
    let mut fields = match entry.next()? {
        RespValue::Array(fields) => pairs(fields)?,
        // Pending, and no longer in the stream.
        RespValue::Nil => Fields::new(),
        _ => return None,
    };
    let mut field = |name: &[u8]| fields.remove(name);
    let key = field(b"k").and_then(|key| String::from_utf8(key).ok()).unwrap_or_default();
    let stamp = field(b"v").as_deref().and_then(stamp).unwrap_or_default();
    let payload = field(b"d");
    Some((Stored { position, key, stamp, payload }, fields))
}

fn pairs(fields: Vec<RespValue>) -> Option<Fields> {
    let mut pairs = Fields::new();
    let mut fields = fields.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        let (RespValue::BulkString(name), RespValue::BulkString(value)) = (name, value) else {
            return None;
        };
        // Not the buffer that they were received in: items wait for their batch.
        pairs.insert(name.to_vec(), value.to_vec());
    }
    Some(pairs)
}

fn stamp(text: &[u8]) -> Option<PushTime> {
    let (us, node) = str::from_utf8(text).ok()?.split_once('-')?;
    Some(PushTime { us: us.parse().ok()?, node: node.parse().ok()? })
}

fn position(id: &str) -> Option<Position> {
    let (generation, number) = id.split_once('-')?;
    Some(Position { generation: generation.parse().ok()?, number: number.parse().ok()? })
}
