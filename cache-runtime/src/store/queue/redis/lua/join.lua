-- Says that a worker is alive, and learns which others are.
-- KEYS: workers, layout
-- ARGV: worker, milliseconds for which to believe it, partitions that it knows of
-- How many partitions there are, who is alive, whether the queue is paused, and over how many partitions pushes are spread, as in
-- `layout.lua`.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local all = redis.call('HGETALL', KEYS[1])
local partitions = tonumber(ARGV[3])
local alive = {ARGV[1]}
local paused = 0
for i = 1, #all, 2 do
  if all[i] == 'partitions' then
    partitions = math.max(partitions, tonumber(all[i + 1]))
  elseif all[i] == 'paused' then
    paused = 1
  elseif tonumber(all[i + 1]) <= now then
    redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= ARGV[1] then
    alive[#alive + 1] = all[i]
  end
end
-- First, as a server without memory left refuses a script whose first write takes some.
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[2]), 'partitions', partitions)
return {partitions, alive, paused, redis.call('HMGET', KEYS[2], 'epoch', 'spread', 'us', 'drains', 'next', 'next_spread')}
