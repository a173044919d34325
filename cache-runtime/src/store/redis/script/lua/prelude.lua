-- Shared by all scripts. The records are those of record/mod.rs; offsets here count from 1.

-- Kind of a record: 'V', 'L', 'F' or 'T'; 'D' for one of ours that nobody can read; 'X' for
-- somebody else's data; nil for nothing.
local function kind(record)
  if not record then return nil end
  if type(record) == 'table' or string.sub(record, 1, 2) ~= '\193\202' then return 'X' end
  local kind = string.sub(record, 4, 4)
  if kind == 'F' or kind == 'T' then return kind end
  if string.byte(record, 3) ~= 1 or #record < 36 then return 'D' end
  if kind == 'L' or kind == 'V' then return kind end
  return 'D'
end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

