-- MAKE STALE: a value that is kept for longer than it is fresh is fresh no longer; a tag gets a new stamp, and remembers
-- the former one. Anything else is removed as by INVALIDATE. 0: the key holds somebody else's data.
-- ARGV: fence header, new token, origin to insist on or ''
local record = redis.pcall('GET', KEYS[1])
local found = kind(record)
if found == 'X' then return 0 end
local t = now()
if found == 'F' then
  local others, last = writers(record, t)
  if others ~= '' then
    put_fence(KEYS[1], ARGV[1], true, others, last - t)
    return 2
  end
end
if found == 'V' and readable(record, ARGV[1]) and trusted(record, ARGV[3]) then
  local left, fresh, rest = redis.call('PTTL', KEYS[1]), struct.unpack('>I8', record, 45), string.sub(record, 53)
  if string.byte(record, 61) == 0 then
    rest = string.sub(rest, 1, 12) .. token(record) .. struct.pack('>I8', t)
  elseif math.floor(string.byte(record, 62) / 2) % 2 == 0 then
    left = 0
  elseif fresh > t then
    -- The time for which it is stale begins now, and is no longer than it would have been.
    left, fresh = left - (fresh - t), t
  end
  local head = string.sub(record, 1, 20) .. ARGV[2] .. string.sub(record, 37, 44)
  if left > 0 and put(KEYS[1], head .. struct.pack('>I8', fresh) .. rest, left) then return 3 end
end
redis.call('UNLINK', KEYS[1])
return 1
