-- Ends the work with a failure that is final: from now on every delivery is answered with it.
-- KEYS[1] the record   [2] (optional) the key where Celery's result is stored and published, SETEX + PUBLISH as celery/backends/redis.py
-- ARGV[1] fence   [2] result (JSON)   [3] messages to publish, '' for none   [4] ttl of the record ms   [5] ttl of the result s
-- returns 1, also when repeated; 0 when the lease was taken over: the result must be thrown away
-- A stored SUCCESS is never overwritten: a late duplicate must not turn it into something else.
local function store(key, result, seconds)
  local old = redis.call('GETRANGE', key, 0, 30)
  if string.find(old, '^{%s*"status":%s*"SUCCESS"') then
    return
  end
  redis.call('SETEX', key, seconds, result)
  redis.call('PUBLISH', key, result)
end

local r = redis.call('HMGET', KEYS[1], 'st', 'fence')
if r[2] ~= ARGV[1] then
  return 0
end
if r[1] == 'RUN' then
  redis.call('HSET', KEYS[1], 'st', 'DEAD', 'res', ARGV[2])
  redis.call('HDEL', KEYS[1], 'owner', 'exp', 'ph')
  if ARGV[3] ~= '' then
    redis.call('HSET', KEYS[1], 'out', ARGV[3])
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
elseif r[1] ~= 'DEAD' then
  return 0
end
if KEYS[2] then
  store(KEYS[2], ARGV[2], ARGV[5])
end
return 1
