-- Forgets the parts of a chord whose body was sent, and remembers that it was. CHORD_CLEANUP_LUA of celery/backends/redis.py 5.7
-- KEYS[1] claim  [2..] what to forget   ARGV[1] token  [2] ttl of the mark s
-- returns 1, or 0 when the claim belongs to somebody else by now
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
for at = 2, #KEYS do
  redis.call('DEL', KEYS[at])
end
redis.call('SET', KEYS[1], 'done', 'EX', ARGV[2])
return 1
