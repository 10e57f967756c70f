-- Stores and publishes a result outside any lease, as celery/backends/redis.py does.
-- KEYS[1] the key of the result   ARGV[1] result (JSON)   [2] ttl s
-- returns 1
-- A stored SUCCESS is never overwritten: a late duplicate must not turn it into something else.
local function store(key, result, seconds)
  local old = redis.call('GETRANGE', key, 0, 30)
  if string.find(old, '^{%s*"status":%s*"SUCCESS"') then
    return
  end
  redis.call('SETEX', key, seconds, result)
  redis.call('PUBLISH', key, result)
end

store(KEYS[1], ARGV[1], ARGV[2])
return 1
