-- Turns a partition to a layout: it takes no items any more that were placed by another, and what it holds came before.
-- KEYS: stream, clock
-- ARGV: number of the layout
-- Whether anything is left that came before, the layout that the partition has, microseconds of its latest version.
local c = redis.call('HMGET', KEYS[2], 'epoch', 'bound', 'us')
local epoch, bound = c[1] or '0', c[2] or '0-0'
if tonumber(epoch) < tonumber(ARGV[1]) then
  epoch, bound = ARGV[1], '0-0'
  local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then bound = info[i + 1] end
  end
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'bound', bound)
end
return {#redis.call('XRANGE', KEYS[1], '-', bound, 'COUNT', 1), epoch, c[3] or '0'}
