-- Makes a chord wait for one part more. Adding the same part again changes nothing.
-- KEYS[1] added  [2] seen (SET)   ARGV[1] task id  [2] ttl s
-- returns how many were added
if redis.call('SADD', KEYS[2], 'added:' .. ARGV[1]) == 1 then
  redis.call('INCR', KEYS[1])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return tonumber(redis.call('GET', KEYS[1]))
