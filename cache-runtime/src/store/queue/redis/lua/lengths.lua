-- KEYS: stream, dead letters
local pending = redis.pcall('XPENDING', KEYS[1], 'workers')
local lag = 0
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if first then
  local item = {}
  for i = 1, #first[2], 2 do item[first[2][i]] = first[2][i + 1] end
  -- Items of earlier versions of this library have no time of arrival; what stands in for it is when they were pushed, by the
  -- clock of that process.
  local since = tonumber(item.t or string.match(item.v or '', '^%d+'))
  local t = redis.call('TIME')
  if since then lag = t[1] * 1000000 + t[2] - since end
end
return {redis.call('XLEN', KEYS[1]), pending.err and 0 or pending[1], redis.call('XLEN', KEYS[2]), math.max(lag, 0)}
