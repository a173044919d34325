-- FILL: store a value where this attempt's lease still stands.
-- ARGV: value record up to its times, ttl in ms, fresh in ms, origin to insist on or '', value record after its times
-- Runs on every miss, and so without the prelude: defining those functions takes longer than what is done here.
-- For the same reason the offsets are no numbers, which would have to be formatted.
local found = redis.pcall('GETRANGE', KEYS[1], '0', '35')
if type(found) == 'table' or string.sub(found, 21) ~= string.sub(ARGV[1], 21) then return 0 end
local kind = string.sub(found, 1, 4)
if kind == '\193\202\1V' then return 1 end -- a retry of a fill that got through
if kind ~= '\193\202\1L' then return 0 end
if ARGV[4] ~= '' and string.sub(found, 5, 12) ~= ARGV[4] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[1], ARGV[1] .. struct.pack('>I8I8', now, now + ARGV[3]) .. ARGV[5], 'PX', ARGV[2])
return 1
