-- Puts the oldest of those dead letters that lie between two ids, these among them, back at the end, with the versions that they
-- had.
-- KEYS: stream, clock, dead letters
-- ARGV: count, origin, first id, last id
local letters = redis.call('XRANGE', KEYS[3], ARGV[3], ARGV[4], 'COUNT', ARGV[1])
for _, letter in ipairs(letters) do
  local item = {}
  for i = 1, #letter[2], 2 do item[letter[2][i]] = letter[2][i + 1] end
  local entry = { us = 0, key = item.k or '', version = item.v or '0-0', payload = item.d or '' }
  local refusal = append(KEYS[1], KEYS[2], ARGV[2], { entry })
  if refusal then return refusal end
  redis.call('XDEL', KEYS[3], letter[1])
end
return #letters
