-- Takes a partition that nobody owns, with everything that its former owners have left undone.
-- KEYS: owner, stream
-- ARGV: token, lease in milliseconds, consumer
-- Changes nothing; a server without memory left refuses a script whose first write takes some.
redis.pcall('XDEL', KEYS[2], '0-0')
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
local created = redis.pcall('XGROUP', 'CREATE', KEYS[2], 'workers', '0', 'MKSTREAM')
if created.err and string.sub(created.err, 1, 9) ~= 'BUSYGROUP' then
  redis.call('DEL', KEYS[1])
  return created
end
local from = '0-0'
repeat
  from = redis.call('XAUTOCLAIM', KEYS[2], 'workers', ARGV[3], 0, from, 'COUNT', 1000, 'JUSTID')[1]
until from == '0-0'
-- Even if there was nothing to claim, the group knows whoever has taken the partition: `renew_owner.lua` asks for that.
redis.call('XREADGROUP', 'GROUP', 'workers', ARGV[3], 'COUNT', 1, 'STREAMS', KEYS[2], '0')
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[2], 'workers')) do
  for i = 1, #consumer, 2 do
    if consumer[i] == 'name' and consumer[i + 1] ~= ARGV[3] then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[2], 'workers', consumer[i + 1])
    end
  end
end
return 1
