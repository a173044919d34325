-- Moves an item to the dead letters.
-- KEYS: owner, stream, dead letters
-- ARGV: token, lease in milliseconds, id, error, attempts
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local item = redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[3])[1]
if item then
  local fields = item[2]
  for _, more in ipairs({'p', ARGV[3], 'e', ARGV[4], 'n', ARGV[5]}) do fields[#fields + 1] = more end
  redis.call('XADD', KEYS[3], '*', unpack(fields))
end
redis.call('XACK', KEYS[2], 'workers', ARGV[3])
redis.call('XDEL', KEYS[2], ARGV[3])
return 1
