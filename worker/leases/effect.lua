-- Marks that the irreversible act begins now. From here a crash is never followed by a silent repetition.
-- KEYS[1] the record   ARGV[1] fence   [2] ms of lease that must be left
-- returns 1; -1 when too little of the lease is left (renew, then ask again); 0 when it was taken over or has ended
local r = redis.call('HMGET', KEYS[1], 'st', 'fence', 'exp')
if r[1] ~= 'RUN' or r[2] ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
if tonumber(r[3]) - (time[1] * 1000 + math.floor(time[2] / 1000)) < tonumber(ARGV[2]) then
  return -1
end
redis.call('HSET', KEYS[1], 'ph', 'E')
return 1
