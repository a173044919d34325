-- Appends items in their order, each once however often it is sent.
-- KEYS: stream, clock, producer
-- ARGV: oldest number still under way, those above it that were given up, longest length or 0, how many microseconds an item may be
--   behind, origin, the layout by which the partition was chosen; of each item number, microseconds, node, key, payload
-- What became of each: its microseconds, or why it was not appended: (L)ate, (K)nown, (M)oved, (F)ull, (B)ehind and those of the
-- partition.
local oldest = tonumber(redis.call('ZSCORE', KEYS[3], 'oldest') or 0)
local longest = tonumber(ARGV[3])
local room = longest > 0 and longest - redis.call('XLEN', KEYS[1]) or math.huge
local c = redis.call('HMGET', KEYS[2], 'us', 'epoch')
local last = tonumber(c[1] or 0)
local outcomes, entries = {}, {}
for at = 7, #ARGV, 5 do
  local number, outcome = ARGV[at], nil
  if tonumber(number) < oldest then
    outcome = 'L'
  elseif redis.call('ZSCORE', KEYS[3], number) then
    outcome = 'K'
  elseif c[2] ~= ARGV[6] then
    -- Its key may be one of another partition by now.
    outcome = 'M'
  elseif last > ARGV[at + 1] + ARGV[4] then
    -- Held up for so long that its process may have delivered it otherwise, and others what is newer. Or its clock is behind.
    outcome = 'B' .. string.format('%.0f', last)
  elseif #entries >= room then
    outcome = 'F'
  else
    entries[#entries + 1] = {
      place = #outcomes + 1, number = number, us = tonumber(ARGV[at + 1]), node = ARGV[at + 2],
      key = ARGV[at + 3], payload = ARGV[at + 4],
    }
    last = math.max(last, tonumber(ARGV[at + 1]))
  end
  outcomes[#outcomes + 1] = outcome or ''
end
if #entries == 0 then return outcomes end

-- What the producer knows to be done need not be remembered; half a number below the oldest fits its mark. A command that was
-- held up knows less: the mark does not go back. All this comes before the items, as the user may lack a right: a push that
-- is refused leaves none.
local mark = string.format('%.1f', math.max(tonumber(ARGV[1]) - 0.5, oldest))
redis.call('ZADD', KEYS[3], mark, 'oldest')
for number in string.gmatch(ARGV[2], '%d+') do
  redis.call('ZADD', KEYS[3], number, number)
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. mark)
redis.call('EXPIRE', KEYS[3], 3600)

local refusal = append(KEYS[1], KEYS[2], ARGV[5], entries)
if refusal then return refusal end
local scores = {}
for _, entry in ipairs(entries) do
  outcomes[entry.place] = entry.at
  scores[#scores + 1] = entry.number
  scores[#scores + 1] = entry.number
end
redis.call('ZADD', KEYS[3], unpack(scores))
return outcomes
