-- Gives the owner its next items: pending ones behind an id, or (`>`) new ones.
-- KEYS: owner, stream, clock
-- ARGV: token, consumer, count, id, the latest layout before which nothing is left
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'X'} end
local c = redis.call('HMGET', KEYS[3], 'generation', 'number', 'epoch', 'bound')
local function read(id)
  local count = tonumber(ARGV[3])
  if id == '>' and tonumber(c[3] or 0) > tonumber(ARGV[5]) then
    -- Only what came before the layout: what came since waits for other partitions, where items of its keys may be left.
    local pending = redis.pcall('XPENDING', KEYS[2], 'workers')
    pending = pending.err and 0 or pending[1]
    count = math.min(count, #redis.call('XRANGE', KEYS[2], '-', c[4], 'COUNT', pending + count) - pending)
    if count <= 0 then return false end
  end
  return redis.pcall('XREADGROUP', 'GROUP', 'workers', ARGV[2], 'COUNT', count, 'STREAMS', KEYS[2], id)
end
local found = read(ARGV[4])
if found and found.err and string.sub(found.err, 1, 7) == 'NOGROUP' then
  -- What is there was not acknowledged.
  redis.call('XGROUP', 'CREATE', KEYS[2], 'workers', '0', 'MKSTREAM')
  found = read('>')
end
if found and found.err then return found end
return {'R', (c[1] or '0') .. '-' .. (c[2] or '0'), found and found[1][2] or {}, c[3] or '0'}
