-- Records a finished part of a chord once, and claims the right to send the body when it was the last one.
-- As CHORD_PART_RETURN_LUA of celery/backends/redis.py 5.7, so that Python workers may take part in the same chord. Unlike there, a
-- claim may be taken again by its own token: a part that is delivered again after a crash goes on where its worker stopped.
-- KEYS[1] parts (ZSET)  [2] added  [3] size  [4] seen (SET)  [5] the saved group  [6] claim
-- ARGV[1] task id  [2] the part (JSON)  [3] score  [4] ttl s  [5] ttl of the claim s  [6] token
-- returns -1 when the body was sent before, 1 when the caller must send it, else 0
if redis.call('GET', KEYS[6]) == 'done' then
  return -1
end
local member = ARGV[1] .. ':' .. ARGV[3]
if redis.call('SISMEMBER', KEYS[4], member) == 0 then
  redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
  redis.call('SADD', KEYS[4], member)
end
for at = 1, 5 do
  redis.call('EXPIRE', KEYS[at], ARGV[4])
end
local size = redis.call('GET', KEYS[3])
local added = redis.call('GET', KEYS[2])
if not size or redis.call('ZCARD', KEYS[1]) ~= tonumber(size) + tonumber(added or 0) then
  return 0
end
if redis.call('SET', KEYS[6], ARGV[6], 'NX', 'EX', ARGV[5]) then
  return 1
end
if redis.call('GET', KEYS[6]) == ARGV[6] then
  redis.call('EXPIRE', KEYS[6], ARGV[5])
  return 1
end
return 0
