-- How many partitions pushes are spread over. A change is announced; every partition is turned to it; it is made; and it is settled
-- once nothing is left of what came before.
-- KEYS: layout, workers
-- ARGV: step, the layout that it is about; to announce: partitions, a layout that the next one is later than; to make: whether
--   anything is left, microseconds that no version has reached
-- Number of the layout, partitions, microseconds, whether anything may be left of what came before, number and partitions of the next.
local c = redis.call('HMGET', KEYS[1], 'epoch', 'next', 'drains', 'us')
local epoch, next = tonumber(c[1] or 0), tonumber(c[2] or 0)
if ARGV[1] == 'announce' then
  local after = tonumber(ARGV[4])
  if tonumber(ARGV[2]) == epoch and next == 0 and (not c[3] or after > epoch) then
    -- By the wall clock, so that one that a failover has lost is no other one's number.
    local t = redis.call('TIME')
    next = math.max(epoch + 1, after + 1, t[1] * 1000 + math.floor(t[2] / 1000))
    redis.call('HSET', KEYS[1], 'next', string.format('%.0f', next), 'next_spread', ARGV[3])
  end
elseif ARGV[1] == 'make' then
  if next > 0 and tonumber(ARGV[2]) == next then
    local spread = redis.call('HGET', KEYS[1], 'next_spread')
    local us = string.format('%.0f', math.max(tonumber(c[4] or 0), tonumber(ARGV[4])))
    redis.call('HSET', KEYS[1], 'epoch', c[2], 'spread', spread, 'us', us)
    if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'drains', '1') else redis.call('HDEL', KEYS[1], 'drains') end
    redis.call('HDEL', KEYS[1], 'next', 'next_spread')
    local known = tonumber(redis.call('HGET', KEYS[2], 'partitions') or 0)
    if known < tonumber(spread) then redis.call('HSET', KEYS[2], 'partitions', spread) end
  end
elseif ARGV[1] == 'settle' and tonumber(ARGV[2]) == epoch then
  redis.call('HDEL', KEYS[1], 'drains')
end
return redis.call('HMGET', KEYS[1], 'epoch', 'spread', 'us', 'drains', 'next', 'next_spread')
