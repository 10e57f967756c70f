-- Lengthens a lease that is still the caller's. An expired lease that nobody took over is still the caller's.
-- KEYS[1] the record   ARGV[1] fence   [2] lease ms   [3] ttl of the record ms
-- returns 1, or 0 when it was taken over or has ended
local r = redis.call('HMGET', KEYS[1], 'st', 'fence')
if r[1] ~= 'RUN' or r[2] ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'exp', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
