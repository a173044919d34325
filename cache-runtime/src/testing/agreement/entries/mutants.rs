//! Scripts with one rule taken out. A comparison that does not notice is worth nothing.

/// Script, what it says, and what it says instead.
pub(super) const MUTANTS: &[(&str, &str, &str)] = &[
    // A value that the caller has just found to be of no use, or of another primary.
    ("acquire", "and token(record) ~= ARGV[4]", ""),
    (
        "acquire",
        "readable(record, ARGV[1]) and trusted(record, ARGV[3])",
        "readable(record, ARGV[1])",
    ),
    ("acquire", "#record < 64 or", "#record < 36 or"),
    ("acquire", "string.sub(record, 13, 20) ~= string.sub(ours, 13, 20)", "false"),
    ("acquire", "return payload >= 64 and payload <= #record", "return payload <= #record"),
    ("acquire", "return payload >= 64 and payload <= #record", "return payload >= 64"),
    // A lease taken from its holder, or respected though nobody trusts it.
    ("acquire", "if found == 'L' and", "if false and"),
    ("acquire", "found == 'L' and trusted(record, ARGV[3])", "found == 'L'"),
    // A lease in the place of a fence, a tombstone, somebody else's data.
    ("acquire", "if found == 'F' or found == 'T'", "if found == 'T'"),
    ("acquire", "if found == 'F' or found == 'T'", "if found == 'F'"),
    ("acquire", "if found == 'X'", "if false"),
    ("acquire", "'PX', ARGV[2]", "'PX', ARGV[2] * 2"),
    // The lease is gone, somebody else's, of another primary; the fill got through already.
    ("fill", "or string.sub(found, 21) ~= string.sub(ARGV[1], 21)", ""),
    ("fill", "if kind ~= '\\193\\202\\1L'", "if kind == ''"),
    ("fill", "if ARGV[4] ~= '' and", "if false and"),
    (
        "fill",
        "if kind == '\\193\\202\\1V' then return 1",
        "if kind == '\\193\\202\\1V' then return 0",
    ),
    ("fill", "now + ARGV[3]", "now + ARGV[2]"),
    ("fill", "'PX', ARGV[2]", "'PX', ARGV[3]"),
    ("fill", "struct.pack('>I8I8', now, now + ARGV[3])", "string.rep('\\0', 16)"),
    // Refilled, invalidated or refreshed meanwhile.
    ("refresh", "if token(record) ~= ARGV[5] then return 0 end", ""),
    ("refresh", "or not trusted(record, ARGV[4])", ""),
    ("refresh", "if token(record) == token(ARGV[1]) then return 1 end", ""),
    // Somebody else's lease.
    ("release", "or token(record) ~= ARGV[1]", ""),
    ("renew", "or token(record) ~= ARGV[1]", ""),
    ("renew", "kind(record) ~= 'L' or", "kind(record) == 'X' or"),
    // A stamp of another primary, of another tag, cut short; one made in the place of a fence, a
    // tombstone, somebody else's data; not the one that stands there; one that does not last, or is
    // prolonged on every load.
    (
        "stamp",
        "readable(record, ARGV[1]) and trusted(record, ARGV[4])",
        "readable(record, ARGV[1])",
    ),
    ("stamp", "string.sub(record, 13, 20) ~= string.sub(ours, 13, 20)", "false"),
    ("stamp", "return payload >= 64 and payload <= #record", "return true"),
    ("stamp", "if found == 'F' or found == 'T'", "if found == 'T'"),
    ("stamp", "if found == 'F' or found == 'T'", "if found == 'F'"),
    ("stamp", "if found == 'X'", "if false"),
    ("stamp", "return token(record)", "return token(ARGV[1])"),
    ("stamp", "if left >= 0 and left < tonumber(ARGV[2])", "if false"),
    ("stamp", "and left < tonumber(ARGV[2])", ""),
    ("stamp", "left >= 0 and", ""),
    ("stamp", "'PEXPIRE', KEYS[1], ARGV[3]", "'PEXPIRE', KEYS[1], ARGV[2]"),
    ("stamp", "tonumber(ARGV[3]), ARGV[3]", "tonumber(ARGV[3]), ARGV[2]"),
    // A fence lifted by somebody else, or past its time.
    ("invalidate", "if others ~= ''", "if false"),
    ("invalidate", "if found == 'X'", "if false"),
    ("invalidate", "ARGV[1], true, others", "ARGV[1], false, others"),
    ("invalidate", "if deadline > t", "if true"),
    ("invalidate", "if hold > 0", "if false"),
    // A value that is not kept, or of another primary, or another key's; one that
    // stays fresh, that lives on, that keeps its token; a tag that forgets its stamp; somebody
    // else's fence or data.
    ("make_stale", "math.floor(string.byte(record, 62) / 2) % 2 == 0", "false"),
    ("make_stale", "and trusted(record, ARGV[3])", ""),
    ("make_stale", "readable(record, ARGV[1]) and", ""),
    ("make_stale", "elseif fresh > t then", "elseif false then"),
    ("make_stale", "left - (fresh - t), t", "left - (fresh - t), fresh"),
    ("make_stale", "left - (fresh - t), t", "left, t"),
    ("make_stale", ".. ARGV[2] ..", ".. token(record) .."),
    ("make_stale", ".. token(record) .. struct.pack('>I8', t)", ""),
    ("make_stale", "token(record) .. struct.pack('>I8', t)", "ARGV[2] .. struct.pack('>I8', t)"),
    ("make_stale", "if others ~= ''", "if false"),
    ("make_stale", "ARGV[1], true, others", "ARGV[1], false, others"),
    ("make_stale", "if found == 'X'", "if false"),
    // With one token for all writers; with overlaps forgotten; with a fence as short as its last
    // writer's.
    (
        "begin",
        "others, last, mine = writers(record, t, ARGV[2])",
        "mine = select(3, writers(record, t, ARGV[2]))",
    ),
    ("begin", "overlapped = others ~= '' or", "overlapped ="),
    ("begin", "or (mine and dirty(record))", ""),
    ("begin", "(mine and dirty(record))", "dirty(record)"),
    ("begin", "math.max(last, deadline) - t", "deadline - t"),
    ("invalidate", "last = math.max(last, deadline)", "last = deadline"),
    ("begin", "if found == 'X'", "if false"),
    ("end", "if others ~= ''", "if false"),
    ("end", "ARGV[1], true, others", "ARGV[1], dirty(record), others"),
    ("end", "if mine and", "if"),
    ("end", "and not dirty(record)", ""),
    ("end", "if found == 'X'", "if false"),
    ("end", "if hold > 0", "if false"),
    // Of another format version.
    (
        "fill",
        "string.sub(found, 1, 4)",
        "string.sub(found, 1, 2) .. '\\1' .. string.sub(found, 4, 4)",
    ),
    ("acquire", "string.byte(record, 3) ~= 1 or", ""),
    ("acquire", "if kind == 'F' or kind == 'T' then return kind end", ""),
];
