-- Gives out places under a rate that all workers share: the generic cell rate algorithm (GCRA).
-- KEYS[1] the rate's own key (STRING: when the next place is free, microseconds of this server's clock)
-- ARGV[1] microseconds between two places   [2] places that may be taken at once (burst)   [3] furthest place that is given, ms from now
-- returns ms until the place that was taken; -1 when all places up to the furthest are taken, and nothing was
-- Repeated after a lost answer it takes one place more: starts are then fewer, never more.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local every = tonumber(ARGV[1])
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local place = math.max(now, free - (tonumber(ARGV[2]) - 1) * every)
local wait = math.ceil((place - now) / 1000)
if wait > tonumber(ARGV[3]) then
  return -1
end
local after = free + every
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', string.format('%.0f', math.ceil((after - now) / 1000) + 1000))
return wait
