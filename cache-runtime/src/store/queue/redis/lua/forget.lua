-- Makes partitions fewer, if there still are as many as were looked at.
-- KEYS: workers
-- ARGV: partitions that there are, partitions from now on
if redis.call('HGET', KEYS[1], 'partitions') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'partitions', ARGV[2])
return 1
