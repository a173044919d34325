-- BEGIN: put up a writer's fence, before the commit. 0: the value is gone, but the fence is not up.
-- ARGV: fence header, writer, fence in ms
local record = redis.pcall('GET', KEYS[1])
local found = kind(record)
if found == 'X' then return 0 end
local t = now()
local deadline = t + ARGV[3]
local others, last, mine, overlapped = '', 0, false, false
if found == 'F' then
  others, last, mine = writers(record, t, ARGV[2])
  overlapped = others ~= '' or (mine and dirty(record))
end
local all = others .. ARGV[2] .. struct.pack('>I8', deadline)
return put_fence(KEYS[1], ARGV[1], overlapped, all, math.max(last, deadline) - t) and 1 or 0
