-- Keeps a partition, under another token if that is wanted: what was sent under the former one is of no effect any more.
-- KEYS: owner
-- ARGV: token, lease in milliseconds, token from now on
local owner = redis.call('GET', KEYS[1])
if owner ~= ARGV[1] and owner ~= ARGV[3] then return 0 end
-- First, as a server without memory left refuses a script whose first write takes some.
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if owner ~= ARGV[3] then redis.call('SET', KEYS[1], ARGV[3], 'KEEPTTL') end
return 1
