-- Lengthens the lease of a place that is still the caller's.
-- KEYS[1] the places   ARGV[1] owner   [2] lease ms   [3] ttl of the key ms
-- returns 1, or 0 when its lease has ended
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not ends or tonumber(ends) <= now then
  return 0
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
