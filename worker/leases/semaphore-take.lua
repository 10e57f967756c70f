-- Takes one of a number of places. Repeating a call with the same owner gives the same answer.
-- KEYS[1] the places (ZSET: owner -> ms when its lease ends)   [2] the greatest fence so far
-- ARGV[1] owner   [2] how many places   [3] lease ms   [4] ttl of both keys ms
-- returns {1, fence}, or {0, ms until the first lease ends} when all places are taken
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return { 0, tonumber(first[2]) - now }
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local micros = time[1] * 1000000 + time[2]
local fence = string.format('%.0f', math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, micros))
redis.call('SET', KEYS[2], fence, 'PX', ARGV[4])
return { 1, fence }
