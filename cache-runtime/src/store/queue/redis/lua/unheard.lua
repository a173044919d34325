-- Counts owners in a row that ended before the sink had said anything of the items that they found read and not acknowledged.
-- KEYS: owner, clock
-- ARGV: token, what is added, or `0` to begin anew
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if ARGV[2] == '0' then
  redis.call('HDEL', KEYS[2], 'unheard')
  return 0
end
local unheard = math.max(0, tonumber(redis.call('HMGET', KEYS[2], 'unheard')[1] or 0) + ARGV[2])
redis.call('HSET', KEYS[2], 'unheard', unheard)
return unheard
