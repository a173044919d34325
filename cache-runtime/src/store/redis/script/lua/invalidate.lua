-- INVALIDATE: remove value and lease; never lift another writer's fence. 0: the key holds somebody else's data.
-- ARGV: fence header, tombstone, hold-off in ms
local record = redis.pcall('GET', KEYS[1])
local found = kind(record)
if found == 'X' then return 0 end
if found == 'F' then
  local t = now()
  local others, last = writers(record, t)
  if others ~= '' then
    put_fence(KEYS[1], ARGV[1], true, others, last - t)
    return 2
  end
end
empty(KEYS[1], ARGV[2], tonumber(ARGV[3]))
return 1
