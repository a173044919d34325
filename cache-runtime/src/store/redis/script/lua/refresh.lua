-- REFRESH: replace the value that the refresh started from, and only that one.
-- ARGV: value record, ttl in ms, fresh in ms, origin to insist on or '', token of the value seen
local record = redis.pcall('GETRANGE', KEYS[1], 0, 35)
if kind(record) ~= 'V' or not trusted(record, ARGV[4]) then return 0 end
if token(record) == token(ARGV[1]) then return 1 end
if token(record) ~= ARGV[5] then return 0 end
store(KEYS[1], ARGV[1], tonumber(ARGV[3]), ARGV[2])
return 1
