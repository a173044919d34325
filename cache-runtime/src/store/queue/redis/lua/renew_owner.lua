-- Keeps a partition, under another token if that is wanted: what was sent under the former one is of no effect any more. An owner
-- that is late gets it back if nobody has taken it meanwhile: whoever takes it removes the consumers of all others.
-- KEYS: owner, stream
-- ARGV: token, lease in milliseconds, token from now on, the consumer of an owner that is late
local owner = redis.call('GET', KEYS[1])
local function is_untaken()
  local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[2], 'workers')
  for _, consumer in ipairs(consumers) do
    for i = 1, #consumer, 2 do
      if consumer[i] == 'name' and consumer[i + 1] == ARGV[4] then return true end
    end
  end
  return false
end
if not owner and is_untaken() then
  -- Changes nothing; a server without memory left refuses a script whose first write takes some.
  redis.pcall('XDEL', KEYS[2], '0-0')
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
  return 1
end
if owner ~= ARGV[1] and owner ~= ARGV[3] then return 0 end
-- First, as a server without memory left refuses a script whose first write takes some.
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if owner ~= ARGV[3] then redis.call('SET', KEYS[1], ARGV[3], 'KEEPTTL') end
return 1
