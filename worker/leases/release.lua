-- Gives the work back because it will be tried again: the effect is known not to have happened.
-- KEYS[1] the record   [2] (optional) the key of Celery's result, for the state RETRY
-- ARGV[1] fence   [2] result (JSON), '' for none   [3] messages to publish, '' for none   [4] ttl of the record ms   [5] ttl of the result s
-- ARGV[6] the attempt that comes next: deliveries of earlier ones are answered with STALE
-- returns 1, also when repeated; 2 when the row under KEYS[2] is compressed and was left;
-- 0 when the lease was taken over
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
  redis.call('HSET', KEYS[1], 'st', 'IDLE', 'att', ARGV[6])
  redis.call('HDEL', KEYS[1], 'owner', 'exp', 'ph')
  if ARGV[3] ~= '' then
    redis.call('HSET', KEYS[1], 'out', ARGV[3])
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
elseif r[1] ~= 'IDLE' then
  return 0
end
if KEYS[2] and ARGV[2] ~= '' then
  return store(KEYS[2], ARGV[2], ARGV[5])
end
return 1
