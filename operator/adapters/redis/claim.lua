-- Claims the right to publish for one schedule, so that two operators which both believe that they lead do not do the same.
-- KEYS[1] the record (HASH: cursor ms, owner, exp, fence, and what schedules keep there)
-- ARGV[1] owner   [2] ms that the claim lasts   [3] the cursor that the caller knows, '' for none   [4] ttl of the record ms
-- returns {'HELD', fence}; {'BUSY', ms} when another holds it; {'MOVED'} when the record has another cursor
local r = redis.call('HMGET', KEYS[1], 'cursor', 'owner', 'exp', 'fence')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if (r[1] or '') ~= ARGV[3] then
  return { 'MOVED' }
end
if r[2] and r[2] ~= ARGV[1] and tonumber(r[3]) > now then
  return { 'BUSY', tonumber(r[3]) - now }
end
-- Greater than every fence before, also of a record that was lost: microseconds of this server's clock.
local fence = string.format('%.0f', math.max(tonumber(r[4] or '0') + 1, time[1] * 1000000 + time[2]))
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'exp', string.format('%.0f', now + ARGV[2]), 'fence', fence)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return { 'HELD', fence }
