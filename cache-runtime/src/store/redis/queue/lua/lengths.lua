-- KEYS: stream, dead letters
local pending = redis.pcall('XPENDING', KEYS[1], 'workers')
return {redis.call('XLEN', KEYS[1]), pending.err and 0 or pending[1], redis.call('XLEN', KEYS[2])}
