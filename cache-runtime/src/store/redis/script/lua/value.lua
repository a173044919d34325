-- Shared by the scripts that look into values and leases, or store values.

-- An origin of '' trusts the records of every primary.
local function trusted(record, origin)
  return origin == '' or string.sub(record, 5, 12) == origin
end

-- Whether anybody can read a value: it was stored for the key that `ours` is for, and not for another (RENAME, COPY and
-- RESTORE make such), and its payload begins within it.
local function readable(record, ours)
  if #record < 64 or string.sub(record, 13, 20) ~= string.sub(ours, 13, 20) then return false end
  local payload = struct.unpack('>I2', record, 63)
  return payload >= 64 and payload <= #record
end

local function token(record)
  return string.sub(record, 21, 36)
end

-- Stores a value record, with its times put in.
local function store(key, record, fresh, ttl)
  local t = now()
  redis.call('SET', key, string.sub(record, 1, 36) .. struct.pack('>I8I8', t, t + fresh)
    .. string.sub(record, 53), 'PX', ttl)
end
