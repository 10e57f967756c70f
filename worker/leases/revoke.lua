-- Stores and publishes that a task is revoked, unless somebody has started or ended it: that worker answers.
-- KEYS[1] the key of the result   ARGV[1] result (JSON)   [2] ttl s
-- returns whether it was stored. celery/worker/control.py `_revoke` of 5.7
local NOT_STARTED = { PENDING = true, RECEIVED = true, RETRY = true, REJECTED = true }
local old = redis.call('GETRANGE', KEYS[1], 0, 40)
if old ~= '' and not NOT_STARTED[string.match(old, '^{%s*"status":%s*"(%u+)"') or ''] then
  return 0
end
redis.call('SETEX', KEYS[1], ARGV[2], ARGV[1])
redis.call('PUBLISH', KEYS[1], ARGV[1])
return 1
