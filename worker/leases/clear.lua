-- Forgets the messages of an ended piece of work once the broker has confirmed them.
-- KEYS[1] the record   ARGV[1] fence
-- returns 1, or 0 when the record belongs to somebody else by now
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then
  return 0
end
redis.call('HDEL', KEYS[1], 'out')
return 1
