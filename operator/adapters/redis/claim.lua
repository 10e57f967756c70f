-- Claims the right to publish for schedules, so that two operators which both believe that they lead do not do the same.
-- KEYS    the records (HASH: cursor ms, owner, exp, fence, and what schedules keep there)
-- ARGV[1] owner   [2] ms that the claims last   [3] ttl of a record ms   [4...] per record the cursor that the caller knows, '' for none
-- returns per record {'HELD', fence}; {'BUSY', ms} when another holds it; {'MOVED'} when the record has another cursor
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answers = {}
for i, key in ipairs(KEYS) do
  local r = redis.call('HMGET', key, 'cursor', 'owner', 'exp', 'fence')
  if (r[1] or '') ~= ARGV[i + 3] then
    answers[i] = { 'MOVED' }
  elseif r[2] and r[2] ~= ARGV[1] and tonumber(r[3]) > now then
    answers[i] = { 'BUSY', tonumber(r[3]) - now }
  else
    -- Greater than every fence before, also of a record that was lost: microseconds of this server's clock.
    local fence = string.format('%.0f', math.max(tonumber(r[4] or '0') + 1, time[1] * 1000000 + time[2]))
    redis.call('HSET', key, 'owner', ARGV[1], 'exp', string.format('%.0f', now + ARGV[2]), 'fence', fence)
    redis.call('PEXPIRE', key, ARGV[3])
    answers[i] = { 'HELD', fence }
  end
end
return answers
