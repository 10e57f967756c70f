-- Asks to run the work of one idempotency key. Repeating a call with the same owner gives the same answer.
-- KEYS[1] the record (HASH: st RUN|IDLE|DONE|DEAD|UNKNOWN, ph N|E, owner, fp, fence, exp, att, res, out, task_id)
-- ARGV[1] owner   [2] lease ms   [3] fingerprint of task and arguments, '' not to compare   [4] ttl of the record ms
-- ARGV[5] at-most-once | at-least-once   [6] attempt (retries so far)   [7] task id
-- returns {'RUN'|'TAKEOVER'|'INDOUBT', fence}         run it
--         {'BUSY', ms}                                somebody else does, for so long at least
--         {'STORED', fence, st, res, out, task_id}    it is done: repeat the answer
--         {'STALE', fence, out}                       this attempt ended in a retry that is on its way
--         {'MISMATCH', task_id}                       the key belongs to other arguments
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local r = redis.call('HMGET', KEYS[1], 'st', 'ph', 'owner', 'fp', 'fence', 'exp', 'att', 'task_id')
local st, ph, owner, fp, fence, exp, att, task_id = r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8]

if st and ARGV[3] ~= '' and fp ~= ARGV[3] then
  return { 'MISMATCH', task_id }
end
if st == 'DONE' or st == 'DEAD' or st == 'UNKNOWN' then
  local kept = redis.call('HMGET', KEYS[1], 'res', 'out')
  return { 'STORED', fence, st, kept[1] or '', kept[2] or '', task_id }
end
if st == 'RUN' and owner == ARGV[1] then
  redis.call('HSET', KEYS[1], 'exp', string.format('%.0f', now + ARGV[2]))
  return { 'RUN', fence }
end
if st and task_id == ARGV[7] and tonumber(att) > tonumber(ARGV[6]) then
  return { 'STALE', fence, redis.call('HGET', KEYS[1], 'out') or '' }
end
local answer = 'RUN'
if st == 'RUN' then
  if tonumber(exp) > now then
    return { 'BUSY', tonumber(exp) - now }
  end
  answer = 'TAKEOVER'
  if ph == 'E' then
    if ARGV[5] == 'at-most-once' then
      redis.call('HSET', KEYS[1], 'st', 'UNKNOWN')
      redis.call('PEXPIRE', KEYS[1], ARGV[4])
      return { 'STORED', fence, 'UNKNOWN', '', '', task_id }
    end
    answer = 'INDOUBT'
  end
end
-- Greater than every fence before, also of a record that has expired: microseconds of this server's clock.
local micros = time[1] * 1000000 + time[2]
local next = string.format('%.0f', math.max(tonumber(fence or '0') + 1, micros))
redis.call('HSET', KEYS[1], 'st', 'RUN', 'ph', 'N', 'owner', ARGV[1], 'fp', ARGV[3], 'fence', next,
  'exp', string.format('%.0f', now + ARGV[2]), 'att', ARGV[6], 'task_id', ARGV[7])
if st then
  redis.call('HDEL', KEYS[1], 'out', 'res')
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return { answer, next }
