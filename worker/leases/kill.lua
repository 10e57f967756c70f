-- Ends the work with a failure that is final: from now on every delivery is answered with it.
-- KEYS[1] the record   [2] (optional) the key where Celery's result is stored and published, SETEX + PUBLISH as celery/backends/redis.py
-- ARGV[1] fence   [2] result (JSON)   [3] messages to publish, '' for none   [4] ttl of the record ms   [5] ttl of the result s
-- returns 1, also when repeated; 2 when the row under KEYS[2] is compressed and was left;
-- 0 when the lease was taken over: the result must be thrown away
-- A stored SUCCESS is never overwritten: a late duplicate must not turn it into something else. What a compressed row says only the
-- caller can read: 2 asks for that, and `sure` says that it was done.
local function store(key, result, seconds, sure)
  if redis.call('SET', key, result, 'EX', seconds, 'NX') then
    redis.call('PUBLISH', key, result)
    return 1
  end
  local old = redis.call('GETRANGE', key, 0, 30)
  if string.find(old, '^{%s*"status":%s*"SUCCESS"') then
    return 1
  end
  if string.byte(old) == 0 and not sure then
    return 2
  end
  redis.call('SETEX', key, seconds, result)
  redis.call('PUBLISH', key, result)
  return 1
end

local r = redis.call('HMGET', KEYS[1], 'st', 'fence')
if r[2] ~= ARGV[1] then
  return 0
end
if r[1] == 'RUN' then
  if ARGV[3] == '' then
    redis.call('HSET', KEYS[1], 'st', 'DEAD', 'res', ARGV[2])
  else
    redis.call('HSET', KEYS[1], 'st', 'DEAD', 'res', ARGV[2], 'out', ARGV[3])
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
elseif r[1] ~= 'DEAD' then
  return 0
end
if KEYS[2] then
  return store(KEYS[2], ARGV[2], ARGV[5])
end
return 1
