-- A partition's clock. Positions are ids `generation-number`: numbers count, and a new generation, later than all
-- before by the wall clock too, begins when the stream is new or another primary has it, which may lack its last items.
-- Microseconds of versions only grow.
local function tick(stream, clock, us, origin)
  local c = redis.call('HMGET', clock, 'generation', 'number', 'us', 'origin')
  local generation, number, last = tonumber(c[1] or 0), tonumber(c[2] or 0), tonumber(c[3] or 0)
  if not c[1] and redis.call('EXISTS', stream) == 1 then
    local info = redis.call('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then generation = tonumber(string.match(info[i + 1], '^%d+')) end
    end
  end
  if c[4] ~= origin then
    local t = redis.call('TIME')
    generation = math.max(generation + 1, t[1] * 1000 + math.floor(t[2] / 1000))
    number = 0
  end
  number = number + 1
  last = string.format('%.0f', math.max(us, last + 1))
  generation = string.format('%.0f', generation)
  number = string.format('%.0f', number)
  redis.call('HSET', clock, 'generation', generation, 'number', number, 'us', last, 'origin', origin)
  return generation .. '-' .. number, last
end
