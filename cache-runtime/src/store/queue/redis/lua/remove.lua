-- Removes items for good, whoever has read them.
-- KEYS: stream
-- ARGV: ids
redis.pcall('XACK', KEYS[1], 'workers', unpack(ARGV))
return redis.call('XDEL', KEYS[1], unpack(ARGV))
