-- Appends an item, once however often it is sent.
-- KEYS: stream, clock, producer
-- ARGV: number, oldest number still under way, longest length or 0, microseconds, node, origin, key, payload
local number = tonumber(ARGV[1])
local oldest = redis.call('ZSCORE', KEYS[3], 'oldest')
if oldest and number < tonumber(oldest) then return {'L'} end
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then return {'K'} end
local longest = tonumber(ARGV[3])
if longest > 0 and redis.call('XLEN', KEYS[1]) >= longest then return {'F'} end

local us, refusal = append(KEYS[1], KEYS[2], tonumber(ARGV[4]), ARGV[6], ARGV[7], ARGV[5], ARGV[8])
if refusal then return refusal end
-- What the producer knows to be done need not be remembered; half a number below the oldest fits its mark. A command that was
-- held up knows less: the mark does not go back.
local mark = string.format('%.1f', math.max(tonumber(ARGV[2]) - 0.5, tonumber(oldest or 0)))
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. mark)
redis.call('ZADD', KEYS[3], mark, 'oldest', ARGV[1], ARGV[1])
redis.call('EXPIRE', KEYS[3], 3600)
return {'A', us}
