-- A fence is a set of writers, each with its own deadline: with a single token one writer's end would
-- lift another's fence.

-- The writers of a fence whose deadline has not passed, other than `me`; whether `me` is among them.
local function writers(fence, t, me)
  local others, mine = {}, false
  for at = 22, #fence - 23, 24 do
    local writer, deadline = string.sub(fence, at, at + 15), struct.unpack('>I8', fence, at + 16)
    if deadline > t then
      if writer == me then mine = true else others[#others + 1] = { writer, deadline } end
    end
  end
  return others, mine
end

local function dirty(fence)
  return string.byte(fence, 21) == 1
end

-- DEL comes first: it passes when the server is out of memory and takes the value away, where the SET
-- alone would be refused and leave it.
local function put_fence(key, head, list, overlapped, t)
  local last, parts = 0, { head, overlapped and '\1' or '\0' }
  for _, writer in ipairs(list) do
    parts[#parts + 1] = writer[1] .. struct.pack('>I8', writer[2])
    last = math.max(last, writer[2])
  end
  redis.call('UNLINK', key)
  local reply = redis.pcall('SET', key, table.concat(parts), 'PX', last - t)
  return not reply.err
end

-- Leaves nothing in the key, or the tombstone.
local function empty(key, tombstone, hold)
  redis.call('UNLINK', key)
  if hold > 0 then redis.pcall('SET', key, tombstone, 'PX', hold) end
end
