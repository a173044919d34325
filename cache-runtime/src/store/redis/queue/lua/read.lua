-- Gives the owner its next items: pending ones behind an id, or (`>`) new ones.
-- KEYS: owner, stream, clock
-- ARGV: token, consumer, count, id
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'X'} end
local function read(id)
  return redis.pcall('XREADGROUP', 'GROUP', 'workers', ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[2], id)
end
local found = read(ARGV[4])
if found and found.err and string.sub(found.err, 1, 7) == 'NOGROUP' then
  -- What is there was not acknowledged.
  redis.call('XGROUP', 'CREATE', KEYS[2], 'workers', '0', 'MKSTREAM')
  found = read('>')
end
if found and found.err then return found end
local c = redis.call('HMGET', KEYS[3], 'generation', 'number')
return {'R', (c[1] or '0') .. '-' .. (c[2] or '0'), found and found[1][2] or {}}
