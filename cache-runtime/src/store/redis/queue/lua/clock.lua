-- A partition's clock. Positions are ids `generation-number`: numbers count, and a new generation, later than all
-- before by the wall clock too, begins when the stream is new or another primary has it, which may lack its last items.
-- Microseconds of versions only grow.
local function tick(stream, clock, us, origin, anew)
  local c = redis.call('HMGET', clock, 'generation', 'number', 'us', 'origin')
  local generation, number, last = tonumber(c[1] or 0), tonumber(c[2] or 0), tonumber(c[3] or 0)
  if anew or c[4] ~= origin then
    local t = redis.call('TIME')
    generation = math.max(generation + 1, t[1] * 1000 + math.floor(t[2] / 1000))
    number = 0
    local info = redis.pcall('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then
        generation = math.max(generation, tonumber(string.match(info[i + 1], '^%d+')) + 1)
      end
    end
  end
  number = number + 1
  last = string.format('%.0f', math.max(us, last + 1))
  generation = string.format('%.0f', generation)
  number = string.format('%.0f', number)
  redis.call('HSET', clock, 'generation', generation, 'number', number, 'us', last, 'origin', origin)
  return generation .. '-' .. number, last
end

-- Appends an entry; `v` is what it says of its version, after the microseconds if there is no more than the node.
local function append(stream, clock, us, origin, key, version, payload)
  local function attempt(anew)
    local id, at = tick(stream, clock, us, origin, anew)
    local v = string.find(version, '-', 1, true) and version or at .. '-' .. version
    return redis.pcall('XADD', stream, id, 'k', key, 'v', v, 'd', payload), at
  end
  local added, at = attempt(false)
  -- Somebody has put an entry of a greater id into the stream.
  if type(added) == 'table' and added.err then added, at = attempt(true) end
  if type(added) == 'table' and added.err then return nil, added end
  return at
end
