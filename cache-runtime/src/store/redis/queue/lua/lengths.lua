-- KEYS: stream, dead letters
local pending = redis.pcall('XPENDING', KEYS[1], 'workers')
local lag = 0
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
for i = 1, first and #first[2] or 0, 2 do
  if first[2][i] == 'v' then
    local t = redis.call('TIME')
    lag = t[1] * 1000000 + t[2] - (tonumber(string.match(first[2][i + 1], '^%d+')) or 0)
  end
end
return {redis.call('XLEN', KEYS[1]), pending.err and 0 or pending[1], redis.call('XLEN', KEYS[2]), math.max(lag, 0)}
