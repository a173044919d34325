-- END: lift a writer's fence, after the commit; store its value if no other writer ever overlapped.
-- ARGV: fence header, tombstone, hold-off in ms, writer [, value record up to its times, ttl in ms, fresh in ms, value
-- record after its times]
local record = redis.pcall('GET', KEYS[1])
local found = kind(record)
if found == 'X' then return 1 end
if found == 'F' then
  local t = now()
  local others, last, mine = writers(record, t, ARGV[4])
  if others ~= '' then
    put_fence(KEYS[1], ARGV[1], true, others, last - t)
    return 2
  end
  if mine and not dirty(record) and ARGV[5] then
    local value = ARGV[5] .. struct.pack('>I8I8', t, t + ARGV[7]) .. ARGV[8]
    if put(KEYS[1], value, ARGV[6]) then return 3 end
  end
end
empty(KEYS[1], ARGV[2], tonumber(ARGV[3])) -- also when the fence was lost: drop what slipped in meanwhile
return 1
