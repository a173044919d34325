-- STAMP: the stamp of a tag, the token of the value in the tag's key; made where none stands.
-- ARGV: value record, for how long it is needed in ms, for how long it is kept then in ms, origin to insist on or ''
local record = redis.pcall('GET', KEYS[1])
local found = kind(record)
if found == 'F' or found == 'T' then return 'F' end
if found == 'X' then return 'X' end
if not (found == 'V' and readable(record, ARGV[1]) and trusted(record, ARGV[4])) then
  store(KEYS[1], ARGV[1], tonumber(ARGV[3]), ARGV[3])
  return token(ARGV[1])
end
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return token(record)
