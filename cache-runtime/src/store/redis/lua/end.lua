-- END: lift a writer's fence, after the commit; store its value if no other writer ever overlapped.
-- ARGV: fence header, tombstone, hold-off in ms, writer [, value record, ttl in ms, fresh in ms]
local record = redis.pcall('GET', KEYS[1])
local found = kind(record)
if found == 'X' then return 1 end
if found == 'F' then
  local t = now()
  local others, mine = writers(record, t, ARGV[4])
  if #others > 0 then
    put_fence(KEYS[1], ARGV[1], others, true, t)
    return 2
  end
  if mine and not dirty(record) and ARGV[5] then
    redis.call('UNLINK', KEYS[1])
    store(KEYS[1], ARGV[5], tonumber(ARGV[7]), ARGV[6])
    return 3
  end
end
empty(KEYS[1], ARGV[2], tonumber(ARGV[3])) -- also when the fence was lost: drop what slipped in meanwhile
return 1
