-- BEGIN: put up a writer's fence, before the commit. 0: the value is gone, but the fence is not up.
-- ARGV: fence header, writer, fence in ms
local record = redis.pcall('GET', KEYS[1])
local found = kind(record)
if found == 'X' then return 0 end
local t = now()
local list, overlapped = {}, false
if found == 'F' then
  local mine
  list, mine = writers(record, t, ARGV[2])
  overlapped = #list > 0 or (mine and dirty(record))
end
list[#list + 1] = { ARGV[2], t + ARGV[3] }
return put_fence(KEYS[1], ARGV[1], list, overlapped, t) and 1 or 0
