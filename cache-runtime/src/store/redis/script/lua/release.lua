-- RELEASE: give up this attempt's lease.
-- ARGV: token
local record = redis.pcall('GETRANGE', KEYS[1], 0, 35)
if kind(record) ~= 'L' or token(record) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
