-- ACQUIRE: get the value, or the lease.
-- ARGV: lease record, lease in ms, origin to insist on or '', token of a value that the caller cannot use or '', the
-- length from which on the caller asks for a value by another connection
local record = redis.pcall('GET', KEYS[1])
local found = kind(record)
if found == 'V' and readable(record, ARGV[1]) and trusted(record, ARGV[3]) and token(record) ~= ARGV[4] then
  if #record > tonumber(ARGV[5]) then return { 'B' } end
  return { 'V', record }
end
if found == 'L' and trusted(record, ARGV[3]) then return { 'L', redis.call('PTTL', KEYS[1]) } end
if found == 'F' or found == 'T' then return { 'F' } end
if found == 'X' then return { 'X' } end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { 'A' }
