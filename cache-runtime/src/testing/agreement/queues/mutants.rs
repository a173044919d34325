//! Scripts of queues with one rule taken out. A comparison that does not notice is worth nothing.

use crate::store::redis::script::altered::{self, Altered};

/// File, what it says, and what it says instead.
pub(super) type Mutant = (&'static str, &'static str, &'static str);

macro_rules! source {
    ($of:expr, $($file:literal)*) => {
        match $of {
            $($file => include_str!(concat!("../../../store/queue/redis/lua/", $file, ".lua")),)*
            other => panic!("there is no script {other}"),
        }
    };
}

/// Puts a mutant in the place of the rule, on this thread.
pub(super) fn alter((file, from, to): &Mutant) -> Altered {
    let source = source!(*file, "clock" "push" "take" "read" "renew_owner" "yield_owner" "ack" "bury" "redrive" "join" "lengths" "remove" "know" "forget" "unheard" "layout" "turn");
    assert!(source.contains(from), "{file} does not say `{from}`");
    altered::alter(source, source.replacen(from, to, 1))
}

const OWNER: &str = "redis.call('GET', KEYS[1]) ~= ARGV[1]";
const UNOWNED: &str = "not redis.call('GET', KEYS[1])";
const RENEW: &str = "redis.call('PEXPIRE', KEYS[1], ARGV[2])";

pub(super) const MUTANTS: &[Mutant] = &[
    // Done by somebody who is no owner, or not the present one.
    ("ack", OWNER, "false"),
    ("ack", OWNER, UNOWNED),
    ("bury", OWNER, "false"),
    ("bury", OWNER, UNOWNED),
    ("read", OWNER, "false"),
    ("read", OWNER, UNOWNED),
    ("renew_owner", "owner ~= ARGV[1]", "false"),
    ("renew_owner", "owner ~= ARGV[1]", "not owner"),
    ("renew_owner", "and owner ~= ARGV[3]", ""),
    ("renew_owner", "KEYS[1], ARGV[3], 'KEEPTTL'", "KEYS[1], ARGV[1], 'KEEPTTL'"),
    ("yield_owner", OWNER, "false"),
    ("yield_owner", OWNER, UNOWNED),
    ("yield_owner", "return redis.call('DEL', KEYS[1])", "return 1"),
    // Gone on with by somebody who is not late, although another worker has had it, or not at all.
    ("renew_owner", "consumer[i + 1] == ARGV[4]", "consumer[i + 1]"),
    ("renew_owner", "if not owner and is_untaken()", "if false"),
    ("renew_owner", "KEYS[1], ARGV[3], 'PX', ARGV[2]", "KEYS[1], ARGV[1], 'PX', ARGV[2]"),
    ("renew_owner", "KEYS[1], ARGV[3], 'PX', ARGV[2]", "KEYS[1], ARGV[3]"),
    // Counted by no owner, not at all, below none, and never anew.
    ("unheard", OWNER, "false"),
    ("unheard", OWNER, UNOWNED),
    ("unheard", "+ ARGV[2]", "+ 0"),
    ("unheard", "math.max(0, ", "math.max(-9, "),
    ("unheard", "redis.call('HDEL', KEYS[2], 'unheard')", ""),
    ("unheard", "redis.call('HSET', KEYS[2], 'unheard', unheard)", ""),
    // A lease that is not prolonged, or does not end.
    ("ack", RENEW, ""),
    ("bury", RENEW, ""),
    ("renew_owner", RENEW, ""),
    ("renew_owner", ", 'KEEPTTL'", ""),
    ("take", "'NX', 'PX', ARGV[2]", "'NX'"),
    // Taken from its owner; without what was there before; kept although it was refused.
    ("take", "'NX', 'PX', ARGV[2]", "'PX', ARGV[2]"),
    ("take", "'workers', '0', 'MKSTREAM'", "'workers', '$', 'MKSTREAM'"),
    ("take", "redis.call('DEL', KEYS[1])", ""),
    ("take", "string.sub(created.err, 1, 9) ~= 'BUSYGROUP'", "true"),
    // What the former owner had: not taken over, not all of it, lost with him; and he himself is
    // never forgotten.
    ("take", "ARGV[3], 0, from", "ARGV[3], 3600000, from"),
    ("take", "until from == '0-0'", "until true"),
    ("take", "and consumer[i + 1] ~= ARGV[3]", ""),
    ("take", "if consumer[i] == 'name'", "if false"),
    ("take", "'COUNT', 1, 'STREAMS', KEYS[2], '0')", "'COUNT', 1, 'STREAMS', KEYS[2], '>')"),
    // Too many at once, the wrong ones, and none once the group is gone.
    ("read", "'COUNT', count,", "'COUNT', 1000,"),
    ("read", "KEYS[2], id", "KEYS[2], '>'"),
    ("read", "if found and found.err and string.sub", "if false and string.sub"),
    ("read", "'workers', '0', 'MKSTREAM'", "'workers', '$', 'MKSTREAM'"),
    ("read", "found = read('>')", "found = read(ARGV[4])"),
    ("read", "(c[2] or '0')", "'0'"),
    // Still pending, still there, or gone with what was not acknowledged.
    ("ack", "redis.call('XACK', KEYS[2], 'workers', unpack(ARGV, first, last))", ""),
    ("ack", "redis.call('XDEL', KEYS[2], unpack(ARGV, first, last))", ""),
    (
        "ack",
        "redis.call('XDEL', KEYS[2], unpack(ARGV, first, last))",
        "redis.call('XTRIM', KEYS[2], 'MINID', ARGV[last])\nredis.call('XDEL', KEYS[2], \
            ARGV[last])",
    ),
    ("ack", "for first = 3", "for first = 4"),
    ("ack", "#ARGV, 1000 do", "#ARGV, 2000 do"),
    // Dead letters that are lost, stay in the queue, or do not say what they are.
    ("bury", "if item then", "if true then"),
    ("bury", "redis.call('XADD', KEYS[3], '*', unpack(fields))", ""),
    ("bury", "'p', ARGV[3], ", ""),
    ("bury", "'e', ARGV[4], ", ""),
    ("bury", ", 'n', ARGV[5]", ""),
    ("bury", "redis.call('XACK', KEYS[2], 'workers', ARGV[3])", ""),
    ("bury", "redis.call('XDEL', KEYS[2], ARGV[3])", ""),
    // More of them than wanted, once more, none of the others any more; new versions, other items;
    // lost where the queue refuses them.
    ("redrive", "'COUNT', ARGV[1]", "'COUNT', 1000"),
    ("redrive", "ARGV[3], ARGV[4], 'COUNT'", "'-', ARGV[4], 'COUNT'"),
    ("redrive", "ARGV[3], ARGV[4], 'COUNT'", "ARGV[3], '+', 'COUNT'"),
    ("redrive", "redis.call('XDEL', KEYS[3], letter[1])", ""),
    ("redrive", "redis.call('XDEL', KEYS[3], letter[1])", "redis.call('DEL', KEYS[3])"),
    ("redrive", "item.v or '0-0'", "'7'"),
    ("redrive", "item.k or ''", "''"),
    ("redrive", "item.d or ''", "''"),
    ("redrive", "if refusal then return refusal end", ""),
    ("redrive", "return #letters", "return 0"),
    // Stored twice, or after it was given up; no room where it is known.
    ("push", "if tonumber(number) < oldest then", "if false then"),
    ("push", "elseif redis.call('ZSCORE', KEYS[3], number) then", "elseif false then"),
    ("push", "outcome = 'K'", "outcome = '1'"),
    (
        "push",
        "elseif redis.call('ZSCORE', KEYS[3], number) then",
        "elseif #entries >= room then
    outcome = 'F'
  elseif redis.call('ZSCORE', KEYS[3], number) then",
    ),
    ("push", "scores[#scores + 1] = entry.number\n  scores[#scores + 1] = entry.number", ""),
    ("push", "tonumber(ARGV[1]) - 0.5", "tonumber(ARGV[7]) - 0.5"),
    ("push", "redis.call('ZADD', KEYS[3], number, number)", ""),
    ("push", "math.max(tonumber(ARGV[1]) - 0.5, oldest)", "tonumber(ARGV[1]) - 0.5"),
    ("push", "redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. mark)", ""),
    ("push", "redis.call('EXPIRE', KEYS[3], 3600)", ""),
    ("push", "if refusal then return refusal end", ""),
    // More than there is room for, or less.
    ("push", "longest > 0 and longest -", "false and longest -"),
    ("push", "#entries >= room", "#entries > room"),
    ("push", "longest > 0 and longest -", "longest -"),
    // However late it comes, or at once.
    ("push", "last > ARGV[at + 1] + ARGV[4]", "false"),
    ("push", "last > ARGV[at + 1] + ARGV[4]", "last > tonumber(ARGV[at + 1])"),
    // One of several that is left out, has another's outcome, or is forgotten.
    ("clock", "for i = 2, #entries do", "for i = 3, #entries do"),
    ("push", "outcomes[entry.place] = entry.at", "outcomes[entry.place] = entries[1].at"),
    ("push", "place = #outcomes + 1", "place = #entries + 1"),
    ("push", "unpack(scores)", "unpack(scores, 1, 2)"),
    // A generation that does not begin, or not later than those before: by this clock, by the wall
    // clock, by the stream.
    ("clock", "anew or c[4] ~= origin", "anew"),
    ("clock", "math.max(generation + 1, t[1]", "math.max(generation, t[1]"),
    ("clock", "math.max(generation + 1, t[1] * 1000 + math.floor(t[2] / 1000))", "generation + 1"),
    ("clock", "'last-generated-id'", "'nothing'"),
    ("clock", "tick(stream, clock, origin, entries, true)", ""),
    ("clock", "number, last = number + 1,", "number, last = number,"),
    ("clock", "'origin', origin)", "'origin', '')"),
    ("clock", "'number', string.format('%.0f', number),", ""),
    ("clock", "'generation', generation, ", ""),
    // Versions that go back, do not follow the clock, or are not the item's.
    ("clock", "math.max(entry.us, last + 1)", "entry.us"),
    ("clock", "math.max(entry.us, last + 1)", "last + 1"),
    ("clock", "'us', string.format('%.0f', last), ", ""),
    ("clock", "entry.version or entry.at", "entry.at or entry.at"),
    // Workers that never end, end too early, or are counted twice; partitions that nobody knows of
    // any more.
    ("join", "tonumber(all[i + 1]) <= now", "false"),
    ("join", "redis.call('HDEL', KEYS[1], all[i])", ""),
    ("join", "now + ARGV[2]", "now"),
    ("join", "elseif all[i] ~= ARGV[1] then", "else"),
    ("join", "math.max(partitions, tonumber(all[i + 1]))", "partitions"),
    ("join", ", 'partitions', partitions)", ")"),
    // Items that stay, or stay pending.
    ("remove", "redis.call('XDEL', KEYS[1], unpack(ARGV))", "0"),
    ("remove", "redis.pcall('XACK', KEYS[1], 'workers', unpack(ARGV))", ""),
    // Fewer partitions than there are, a pause that nobody learns of, or that is taken for a
    // worker.
    ("know", "known < tonumber(ARGV[1])", "false"),
    ("know", "known < tonumber(ARGV[1])", "true"),
    ("forget", "redis.call('HGET', KEYS[1], 'partitions') ~= ARGV[1]", "false"),
    ("forget", "'partitions', ARGV[2]", "'partitions', ARGV[1]"),
    ("join", "paused = 1", "paused = 0"),
    ("join", "all[i] == 'paused'", "false"),
    // Items that were placed by another layout, or that are to wait for other partitions.
    ("push", "elseif c[2] ~= ARGV[6] then", "elseif false then"),
    ("read", "id == '>' and", "false and"),
    ("read", "pending + count) - pending)", "pending + count))"),
    ("read", "'-', c[4], 'COUNT'", "'-', '+', 'COUNT'"),
    ("read", "if count <= 0 then return false end", ""),
    ("turn", "tonumber(epoch) < tonumber(ARGV[1])", "true"),
    ("turn", "'bound', bound)", "'bound', '0-0')"),
    ("turn", "'-', bound, 'COUNT'", "'-', '+', 'COUNT'"),
    ("turn", "c[3] or '0'}", "'0'}"),
    // Changes that nobody may make now, that are other ones, or that never end.
    ("layout", "tonumber(ARGV[2]) == epoch and next == 0", "next == 0"),
    ("layout", "tonumber(ARGV[2]) == epoch and next == 0", "tonumber(ARGV[2]) == epoch"),
    ("layout", "and (not c[3] or after > epoch)", ""),
    ("layout", "(not c[3] or after > epoch)", "not c[3]"),
    ("layout", "after + 1, ", ""),
    ("layout", "next > 0 and tonumber(ARGV[2]) == next", "next > 0"),
    ("layout", "math.max(tonumber(c[4] or 0), tonumber(ARGV[4]))", "ARGV[4]"),
    ("layout", "if ARGV[3] == '1' then", "if false then"),
    ("layout", "redis.call('HDEL', KEYS[1], 'next', 'next_spread')", ""),
    ("layout", "else redis.call('HDEL', KEYS[1], 'drains') end", "end"),
    ("layout", "known < tonumber(spread)", "false"),
    ("layout", "tonumber(ARGV[2]) == epoch then", "true then"),
    // Lengths of something else.
    ("lengths", "pending.err and 0 or pending[1]", "0"),
    ("lengths", "redis.call('XLEN', KEYS[2])", "0"),
    ("lengths", "math.max(lag, 0)", "0"),
    ("lengths", "'COUNT', 1)[1]", "'COUNT', 1)[2]"),
    // How late an item is, by the clock of its producer, or by none.
    ("lengths", "item.t or", ""),
    ("lengths", "or string.match(item.v or '', '^%d+')", ""),
    ("clock", "'t', t, ", ""),
];
