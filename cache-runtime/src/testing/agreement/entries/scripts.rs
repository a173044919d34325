//! The scripts, on a real server.

use std::collections::BTreeMap;

use redis::{Cmd, Connection, Pipeline, RedisResult, Value, cmd, pipe};

use crate::record::{self, KeyHash, Kind, token};
use crate::testing::agreement::entries::generate::{KEYS, Step, Steps, What};
use crate::testing::agreement::entries::model::{Asker, Given, Op, Reply};
use crate::testing::agreement::entries::run::Outcome;
use crate::testing::agreement::entries::state::{Millis, NEVER, State, Token};
use crate::testing::agreement::entries::wire::{self, Clock};

/// So many steps are sent at once.
pub(super) const BATCH: usize = 500;
const UNIT: Millis = 3_600_000;
const LIST: &str = "agreement:list";

/// The sources of the scripts, put together as the adapter does.
pub(super) fn sources() -> BTreeMap<&'static str, String> {
    macro_rules! source {
        ($($file:literal),+) => {
            concat!($(include_str!(concat!("../../../store/redis/script/lua/", $file, ".lua"))),+).to_owned()
        };
    }
    BTreeMap::from([
        ("acquire", source!("prelude", "value", "acquire")),
        ("fill", source!("fill")),
        ("refresh", source!("prelude", "value", "refresh")),
        ("release", source!("prelude", "value", "release")),
        ("renew", source!("prelude", "value", "renew")),
        ("stamp", source!("prelude", "value", "stamp")),
        ("invalidate", source!("prelude", "fence", "invalidate")),
        ("make_stale", source!("prelude", "value", "fence", "make_stale")),
        ("begin", source!("prelude", "fence", "begin")),
        ("end", source!("prelude", "fence", "end")),
    ])
}

/// Time, type, bytes and rest of life of a key.
const LOOK: &str = "
    local time, kind = redis.call('TIME'), redis.call('TYPE', KEYS[1]).ok
    local bytes = kind == 'string' and redis.call('GET', KEYS[1]) or ''
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    return { now, kind, bytes, redis.call('PTTL', KEYS[1]) }";

/// Puts the deadline of one writer into the past, as if it had been so short.
const EXPIRE_WRITER: &str = "
    local fence = redis.pcall('GET', KEYS[1])
    if type(fence) ~= 'string' or string.sub(fence, 1, 2) ~= '\\193\\202' then return end
    if string.sub(fence, 4, 4) ~= 'F' then return end
    for at = 22, #fence - 23, 24 do
      if string.sub(fence, at, at + 15) == ARGV[1] then
        redis.call('SETRANGE', KEYS[1], at + 15, struct.pack('>I8', 1))
      end
    end";

/// A server that knows the scripts.
pub(super) struct Scripts<'a> {
    connection: &'a mut Connection,
    digests: BTreeMap<&'static str, String>,
    clock: Clock,
}

impl<'a> Scripts<'a> {
    /// Loads the scripts, and empties the server.
    pub(super) fn load(
        connection: &'a mut Connection,
        sources: &BTreeMap<&'static str, String>,
    ) -> Self {
        let helpers = [("look", LOOK), ("expire writer", EXPIRE_WRITER)];
        let all = sources.iter().map(|(name, source)| (*name, source.as_str())).chain(helpers);
        let load = |(name, source)| {
            let load = cmd("SCRIPT").arg("LOAD").arg(source).query(connection);
            (name, load.unwrap())
        };
        let digests = all.map(load).collect();
        cmd("FLUSHALL").exec(connection).unwrap();
        cmd("RPUSH").arg(LIST).arg(1).exec(connection).unwrap();
        let (seconds, _): (Millis, Millis) = cmd("TIME").query(connection).unwrap();
        // A little earlier, so that no rounding puts anything before the beginning.
        let clock = Clock { zero: seconds * 1000 - UNIT / 6, unit: UNIT };
        Self { connection, digests, clock }
    }

    /// Steps whose spans are as long as the clock of a run needs them.
    pub(super) fn steps(seed: u64) -> Steps {
        Steps::on_a_server(seed, UNIT)
    }

    /// Executes steps, and looks at the key after each.
    pub(super) fn execute(&mut self, steps: &[Step]) -> Vec<Outcome> {
        let mut pipe = pipe();
        for step in steps {
            self.add(&mut pipe, step);
            pipe.add_command(self.script("look", KEYS[step.key]));
        }
        let replies: Vec<RedisResult<Value>> = pipe.ignore_errors().query(self.connection).unwrap();
        let outcomes = steps.iter().zip(replies.chunks_exact(2)).map(|(step, replies)| {
            let key = KeyHash::of(KEYS[step.key]);
            let is_op = matches!(step.what, What::Op(_));
            let reply = is_op.then(|| match &replies[0] {
                Ok(reply) => self.reply(reply, key),
                Err(error) => Reply::Error(error.to_string()),
            });
            Outcome { reply, state: self.state(replies[1].as_ref().unwrap(), key) }
        });
        outcomes.collect()
    }

    fn script(&self, name: &str, key: &str) -> Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(&self.digests[name]).arg(1).arg(key);
        command
    }

    /// Adds one command.
    fn add(&self, pipe: &mut Pipeline, step: &Step) {
        let key = KEYS[step.key];
        match &step.what {
            What::Op(op) => {
                pipe.add_command(self.op(op, key));
            }
            What::Delete => {
                pipe.cmd("DEL").arg(key);
            }
            What::Expire => {
                pipe.cmd("PEXPIRE").arg(key).arg(0);
            }
            What::WriterExpires(writer) => {
                let mut expire = self.script("expire writer", key);
                expire.arg(&wire::token(*writer));
                pipe.add_command(expire);
            }
            What::Put(state, format) => {
                let bytes = wire::encode(state, *format, KeyHash::of(key), self.clock);
                pipe.cmd("SET").arg(key).arg(bytes);
                if state.until() != NEVER {
                    pipe.arg("PX").arg(state.until());
                }
            }
            What::Push => {
                // One command; a list in the place of whatever was there.
                pipe.cmd("SORT").arg(LIST).arg("STORE").arg(key);
            }
            What::Pass(_) => unreachable!("a server's time is its own"),
        }
    }

    fn op(&self, op: &Op, key: &str) -> Cmd {
        let (name, arguments) = call(op, KeyHash::of(key));
        let mut command = self.script(name, key);
        for argument in &arguments {
            command.arg(argument);
        }
        command
    }

    fn reply(&self, reply: &Value, key: KeyHash) -> Reply {
        let parts = match reply {
            Value::Array(parts) => parts,
            Value::BulkString(tag) if tag == b"F" => return Reply::Fenced,
            Value::BulkString(tag) if tag == b"X" => return Reply::Foreign,
            Value::BulkString(stamp) => {
                return Reply::Stamp(wire::number(stamp.as_slice().try_into().unwrap()));
            }
            number => return Reply::Number(redis::from_redis_value_ref(number).unwrap()),
        };
        match parts.as_slice() {
            [Value::BulkString(tag)] if tag == b"A" => Reply::Leased,
            [Value::BulkString(tag)] if tag == b"F" => Reply::Fenced,
            [Value::BulkString(tag)] if tag == b"X" => Reply::Foreign,
            [Value::BulkString(tag), Value::Int(left)] if tag == b"L" => {
                // Negative where it has no end.
                Reply::Held(self.clock.span(u64::try_from(*left).unwrap_or_default()))
            }
            [Value::BulkString(tag), Value::BulkString(record)] if tag == b"V" => {
                wire::decode_value(record, key, self.clock)
            }
            _ => panic!("no reply of ACQUIRE: {reply:?}"),
        }
    }

    fn state(&self, look: &Value, key: KeyHash) -> State {
        let (now, kind, bytes, pttl): (Millis, String, Vec<u8>, i64) =
            redis::from_redis_value_ref(look).unwrap();
        match kind.as_str() {
            "none" => State::Absent,
            "string" => wire::decode(&bytes, key, self.clock, wire::until(now, pttl, self.clock)),
            _ => State::OtherType,
        }
    }
}

/// The script of an operation, and its arguments.
fn call(op: &Op, key: KeyHash) -> (&'static str, Vec<Vec<u8>>) {
    let header = |kind| record::header(kind, record::Origin(wire::origin(1)), key).to_vec();
    let token = |number: &Token| wire::token(*number).to_vec();
    match op {
        Op::Acquire { by, token: holder, lease, reject } => {
            let holder = token::Token::from_bytes(wire::token(*holder));
            let record = record::lease(record::Origin(wire::origin(by.origin)), key, holder);
            let reject = reject.as_ref().map(token).unwrap_or_default();
            let bound = text(1 << 20);
            ("acquire", vec![record.to_vec(), text(*lease), insisted(*by), reject, bound])
        }
        Op::Fill { by, given, .. } => {
            let (head, tail) = record::around_times(&given.record);
            let mut arguments = stored(*by, given);
            arguments[0] = head.to_vec();
            arguments.push(tail.to_vec());
            ("fill", arguments)
        }
        Op::Refresh { by, seen, given, .. } => {
            let mut arguments = stored(*by, given);
            arguments.push(token(seen));
            ("refresh", arguments)
        }
        Op::Release { token: holder } => ("release", vec![token(holder)]),
        Op::Renew { token: holder, lease } => ("renew", vec![token(holder), text(*lease)]),
        Op::Stamp { by, fresh, need } => {
            let fresh = token::Token::from_bytes(wire::token(*fresh));
            let mut record = record::stamp(key, fresh);
            record::set_origin(&mut record, record::Origin(wire::origin(by.origin)));
            ("stamp", vec![record, text(*need), text(2 * need), insisted(*by)])
        }
        Op::Invalidate { hold_off } => {
            ("invalidate", vec![header(Kind::Fence), header(Kind::Tombstone), text(*hold_off)])
        }
        Op::MakeStale { by, token: fresh } => {
            ("make_stale", vec![header(Kind::Fence), token(fresh), insisted(*by)])
        }
        Op::Begin { writer, fence } => {
            ("begin", vec![header(Kind::Fence), token(writer), text(*fence)])
        }
        Op::End { writer, hold_off, value } => {
            let hold_off = text(*hold_off);
            let mut arguments =
                vec![header(Kind::Fence), header(Kind::Tombstone), hold_off, token(writer)];
            if let Some((_, given)) = value {
                let (head, tail) = record::around_times(&given.record);
                let (ttl, fresh) = (text(given.ttl), text(given.fresh));
                arguments.extend([head.to_vec(), ttl, fresh, tail.to_vec()]);
            }
            ("end", arguments)
        }
    }
}

fn stored(by: Asker, given: &Given) -> Vec<Vec<u8>> {
    vec![given.record.to_vec(), text(given.ttl), text(given.fresh), insisted(by)]
}

fn insisted(by: Asker) -> Vec<u8> {
    if by.insists { wire::origin(by.origin).to_vec() } else { Vec::new() }
}

fn text(millis: Millis) -> Vec<u8> {
    millis.to_string().into_bytes()
}
