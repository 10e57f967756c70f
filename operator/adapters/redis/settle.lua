-- Writes what came of a claim, and ends it.
-- KEYS[1] the record   ARGV[1] fence   [2] ttl of the record ms   [3...] field, value, field, value
-- returns 1, also when repeated; 0 when somebody else has claimed since: then nothing is written
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then
  return 0
end
if #ARGV > 2 then
  redis.call('HSET', KEYS[1], unpack(ARGV, 3))
end
redis.call('HDEL', KEYS[1], 'owner', 'exp')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
