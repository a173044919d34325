-- Makes it known how many partitions a process pushes to: workers take as many as anybody knows of.
-- KEYS: workers
-- ARGV: partitions
local known = tonumber(redis.call('HGET', KEYS[1], 'partitions') or 0)
if known < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'partitions', ARGV[1]) end
return 1
