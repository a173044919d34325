-- A fence is a set of writers, each with its own deadline: with a single token one writer's end would
-- lift another's fence.

-- Of the writers of a fence whose deadline has not passed: those other than `me`, as they stand there, and the last of
-- their deadlines; whether `me` is one.
local function writers(fence, t, me)
  local others, last, mine = {}, 0, false
  for at = 22, #fence - 23, 24 do
    local deadline = struct.unpack('>I8', fence, at + 16)
    if deadline > t then
      if string.sub(fence, at, at + 15) == me then
        mine = true
      else
        others[#others + 1] = string.sub(fence, at, at + 23)
        last = math.max(last, deadline)
      end
    end
  end
  return table.concat(others), last, mine
end

local function dirty(fence)
  return string.byte(fence, 21) == 1
end

-- Puts a record in the place of whatever there is. Where the server is out of memory the SET is refused, and passes
-- once the UNLINK has; where it does not, what was there is gone all the same.
local function put(key, record, ttl)
  local reply = redis.pcall('SET', key, record, 'PX', ttl)
  if reply.err then
    redis.call('UNLINK', key)
    reply = redis.pcall('SET', key, record, 'PX', ttl)
  end
  return not reply.err
end

local function put_fence(key, head, overlapped, writers, ttl)
  return put(key, head .. (overlapped and '\1' or '\0') .. writers, ttl)
end

-- Leaves nothing in the key, or the tombstone.
local function empty(key, tombstone, hold)
  if hold > 0 then put(key, tombstone, hold) else redis.call('UNLINK', key) end
end
