-- Stores and publishes a result outside any lease, as celery/backends/redis.py does.
-- KEYS[1] the key of the result   ARGV[1] result (JSON)   [2] ttl s   [3] '1' to overwrite a compressed row
-- returns 1, or 2 when the row is compressed and was left
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

return store(KEYS[1], ARGV[1], ARGV[2], ARGV[3] == '1')
