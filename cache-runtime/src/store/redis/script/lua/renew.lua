-- RENEW: keep this attempt's lease while its load goes on.
-- ARGV: token, lease in ms
local record = redis.pcall('GETRANGE', KEYS[1], 0, 35)
if kind(record) ~= 'L' or token(record) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
