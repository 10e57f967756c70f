-- Writes how many parts a chord has, before any of them is sent. A chord whose body was sent already keeps its mark.
-- KEYS[1] size  [2] claim   ARGV[1] size  [2] ttl s
-- returns 1, or 0 when the body was sent before
if redis.call('GET', KEYS[2]) == 'done' then
  return 0
end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
