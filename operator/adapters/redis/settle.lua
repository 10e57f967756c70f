-- Writes what came of claims, and ends them.
-- KEYS    the records
-- ARGV[1] ttl of a record ms   [2...] per record: fence, how many words follow, field, value, field, value
-- returns per record 1, also when repeated; 0 when somebody else has claimed since: then nothing is written
local answers = {}
local at = 2
for i, key in ipairs(KEYS) do
  local fence, words = ARGV[at], tonumber(ARGV[at + 1])
  if redis.call('HGET', key, 'fence') ~= fence then
    answers[i] = 0
  else
    if words > 0 then
      redis.call('HSET', key, unpack(ARGV, at + 2, at + 1 + words))
    end
    redis.call('HDEL', key, 'owner', 'exp')
    redis.call('PEXPIRE', key, ARGV[1])
    answers[i] = 1
  end
  at = at + 2 + words
end
return answers
