-- Sets a value unless what stands is as new. KEYS: its name, where it is noted how new it is.
-- ARGV: kind, window start, revision, milliseconds the value stays (0: for good), milliseconds the note stays, then what the kind needs.
-- Answers 1: set, 0: what stands is as new, -1: the name holds something of another kind.
local kind = ARGV[1]
local stands
if kind == 'field' then
  stands = redis.pcall('HEXISTS', KEYS[1], ARGV[6]) == 1
else
  stands = redis.call('EXISTS', KEYS[1]) == 1
end
local note = stands and redis.call('GET', KEYS[2])
if note then
  local start, revision = string.match(note, '^(%-?%d+) (%d+)$')
  start, revision = tonumber(start), tonumber(revision)
  local newer_start, newer_revision = tonumber(ARGV[2]), tonumber(ARGV[3])
  if start > newer_start or (start == newer_start and revision >= newer_revision) then
    return 0
  end
end
local done
if kind == 'field' then
  done = redis.pcall('HSET', KEYS[1], ARGV[6], ARGV[7])
elseif kind == 'push' then
  done = redis.pcall('LPUSH', KEYS[1], ARGV[6])
  redis.pcall('LTRIM', KEYS[1], 0, ARGV[7] - 1)
elseif kind == 'text' then
  done = redis.call('SET', KEYS[1], ARGV[6])
else
  local add = kind == 'hash' and 'HSET' or 'ZADD'
  redis.call('DEL', KEYS[1])
  for at = 6, #ARGV, 2 do
    done = redis.call(add, KEYS[1], ARGV[at], ARGV[at + 1])
  end
end
if type(done) == 'table' and done.err then
  return -1
end
if ARGV[4] ~= '0' then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
redis.call('SET', KEYS[2], ARGV[2] .. ' ' .. ARGV[3], 'PX', ARGV[5])
return 1
