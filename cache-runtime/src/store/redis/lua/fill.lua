-- FILL: store a value where this attempt's lease still stands.
-- ARGV: value record, ttl in ms, fresh in ms, origin to insist on or ''
local record = redis.pcall('GETRANGE', KEYS[1], 0, 35)
local found = kind(record)
if found == 'V' and token(record) == token(ARGV[1]) then return 1 end -- a retry of a fill that got through
if found ~= 'L' or token(record) ~= token(ARGV[1]) or not trusted(record, ARGV[4]) then return 0 end
store(KEYS[1], ARGV[1], tonumber(ARGV[3]), ARGV[2])
return 1
