-- A partition's clock. Positions are ids `generation-number`: numbers count, and a new generation, later than all
-- before by the wall clock too, begins when the stream is new or another primary has it, which may lack its last items.
-- So may the same one, if it was a replica meanwhile: then its connections know nothing of it, but its replication has another id.
-- Microseconds of versions only grow.
local function tick(stream, clock, origin, entries, anew)
  local info = redis.pcall('INFO', 'replication')
  origin = origin .. (type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or '')
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
  generation = string.format('%.0f', generation)
  for _, entry in ipairs(entries) do
    number, last = number + 1, math.max(entry.us, last + 1)
    entry.id = generation .. '-' .. string.format('%.0f', number)
    entry.at = string.format('%.0f', last)
  end
  redis.call('HSET', clock, 'generation', generation, 'number', string.format('%.0f', number),
    'us', string.format('%.0f', last), 'origin', origin)
end

-- Appends entries, at least one, with the time `t` in microseconds by this server's clock, as those of producers differ. Puts into
-- each the microseconds of its version that it got `at`. `us` is what they are at least;
-- `version` what the entry says of its version, made of the microseconds and the node where there is none.
local function append(stream, clock, origin, entries)
  local t = redis.call('TIME')
  t = string.format('%.0f', t[1] * 1000000 + t[2])
  local function add(entry)
    local version = entry.version or entry.at .. '-' .. entry.node
    local added = redis.pcall('XADD', stream, entry.id, 'k', entry.key, 'v', version, 't', t, 'd', entry.payload)
    return type(added) == 'table' and added.err and added
  end
  tick(stream, clock, origin, entries, false)
  local refusal = add(entries[1])
  if refusal then
    -- Somebody has put an entry of a greater id into the stream.
    tick(stream, clock, origin, entries, true)
    refusal = add(entries[1])
  end
  for i = 2, #entries do refusal = refusal or add(entries[i]) end
  return refusal
end
