import { createHash } from 'node:crypto';

/** A script as Redis knows it: by the SHA-1 of its text. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

// In every script ARGV[1] is the prefix of all keys. They share one hash tag, so keys that a script makes up
// live where its declared ones do. Lua's numbers are doubles: microseconds fit until the year 2255.
const NOW = `
local time = redis.call('TIME')
local nowUs = tonumber(time[1]) * 1000000 + tonumber(time[2])
local nowMs = math.floor(nowUs / 1000)
local function text(number) return string.format('%.0f', number) end
`;

const PRESENT_NODES = `
local function presentNodes(key)
  local nodes = {}
  for _, incarnation in ipairs(redis.call('ZRANGEBYSCORE', key, text(nowMs), '+inf', 'LIMIT', 0, 256)) do
    local record = redis.call('GET', ARGV[1] .. 'node:' .. incarnation)
    if record then nodes[#nodes + 1] = record end
  end
  return nodes
end
`;

const IS_LONG_GONE = `
local function isLongGone(owner, graceMs)
  if redis.call('EXISTS', ARGV[1] .. 'node:' .. owner) == 1 then return false end
  local epoch = redis.call('GET', ARGV[1] .. 'epoch')
  if not epoch then return false end
  local since = tonumber(string.match(epoch, ':(%d+)$') or text(nowMs))
  local leaseEnd = tonumber(redis.call('ZSCORE', ARGV[1] .. 'nodes', owner) or '0')
  return math.max(since, leaseEnd) + tonumber(graceMs) <= nowMs
end
`;

const IS_FENCED = `
local function isFenced(owner, stored, incarnation, token)
  return stored > token or (stored == token and owner ~= incarnation)
end
`;

/** ARGV: prefix, incarnation, record, lease ms, a random name for a new epoch, ms to forget a node. */
export const NODE_BEAT = script(`${NOW}${PRESENT_NODES}
local epoch = redis.call('GET', KEYS[1])
if not epoch then
  epoch = ARGV[5] .. ':' .. text(nowMs)
  redis.call('SET', KEYS[1], epoch)
end
redis.call('SET', ARGV[1] .. 'node:' .. ARGV[2], ARGV[3], 'PX', ARGV[4])
redis.call('ZADD', KEYS[2], text(nowMs + tonumber(ARGV[4])), ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(nowMs - tonumber(ARGV[6])))
return { epoch, text(nowMs), presentNodes(KEYS[2]) }
`);

/** ARGV: prefix. */
export const NODES = script(`${NOW}${PRESENT_NODES}return presentNodes(KEYS[1])`);

/** ARGV: prefix, incarnation. The node stays known as one whose lease ended now, that its calls are found. */
export const NODE_LEAVE = script(`${NOW}
redis.call('DEL', ARGV[1] .. 'node:' .. ARGV[2])
redis.call('ZADD', KEYS[1], 'XX', 'LT', text(nowMs), ARGV[2])
return 1
`);

/** ARGV: prefix, incarnation, call, reason, expected owner, token floor, grace ms, record ttl ms. */
export const CALL_CLAIM = script(`${NOW}${IS_LONG_GONE}
local found = redis.call('HMGET', KEYS[1], 'state', 'owner', 'tok', 'snap')
local state, owner, last, me, reason = found[1], found[2], tonumber(found[3] or '0'), ARGV[2], ARGV[4]
if state == 'ended' then return { 'ended' } end
if not state and reason ~= 'new' then return { 'unknown' } end
if state and owner ~= me then
  local refused = reason == 'new' or owner ~= ARGV[5]
  if not refused and reason == 'orphan' then refused = not isLongGone(owner, ARGV[7]) end
  if refused then return { 'moved', owner, text(last) } end
end
local token = last
if owner ~= me or last <= tonumber(ARGV[6]) then token = math.max(last + 1, tonumber(ARGV[6]) + 1, nowUs) end
redis.call('HSET', KEYS[1], 'state', 'live', 'owner', me, 'tok', text(token))
redis.call('HSETNX', KEYS[1], 'seq', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[8])
if owner and owner ~= me then redis.call('SREM', ARGV[1] .. 'calls:' .. owner, ARGV[3]) end
redis.call('SADD', ARGV[1] .. 'calls:' .. me, ARGV[3])
redis.call('PEXPIRE', ARGV[1] .. 'calls:' .. me, 86400000)
return { 'claimed', text(token), found[4], owner }
`);

export const CALL_FIND = script(`return redis.call('HMGET', KEYS[1], 'state', 'owner', 'tok', 'seq')`);

export const ALIAS_FIND = script(`return redis.call('GET', KEYS[1]) or ''`);

/** ARGV: prefix, incarnation, call, token, sequence, snapshot, record ttl ms, alias or nothing. */
export const CALL_SAVE = script(`${IS_FENCED}
local found = redis.call('HMGET', KEYS[1], 'state', 'owner', 'tok', 'seq')
local owner, me, token, answer = found[2], ARGV[2], tonumber(ARGV[4]), 'saved'
if found[1] == 'ended' then return 'ended' end
if found[1] then
  local stored = tonumber(found[3])
  if isFenced(owner, stored, me, token) then return 'fenced' end
  if stored == token and tonumber(found[4]) > tonumber(ARGV[5]) then return 'saved' end
  if owner ~= me then
    answer = 'conflict'
    redis.call('SREM', ARGV[1] .. 'calls:' .. owner, ARGV[3])
  end
end
redis.call('HSET', KEYS[1], 'state', 'live', 'owner', me, 'tok', ARGV[4], 'seq', ARGV[5], 'snap', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
if ARGV[8] ~= '' then redis.call('SET', ARGV[1] .. 'alias:' .. ARGV[8], ARGV[3], 'PX', ARGV[7]) end
redis.call('SADD', ARGV[1] .. 'calls:' .. me, ARGV[3])
redis.call('PEXPIRE', ARGV[1] .. 'calls:' .. me, 86400000)
return answer
`);

/** ARGV: prefix, incarnation, call, token, tombstone ttl ms. */
export const CALL_END = script(`${IS_FENCED}
local found = redis.call('HMGET', KEYS[1], 'state', 'owner', 'tok')
if found[1] == 'ended' then return 'ended' end
if found[1] and isFenced(found[2], tonumber(found[3]), ARGV[2], tonumber(ARGV[4])) then return 'fenced' end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'ended', 'tok', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('SREM', ARGV[1] .. 'calls:' .. ARGV[2], ARGV[3])
return 'saved'
`);

/** ARGV: prefix, grace ms, how many. Names of calls in a node's set are hints: their records are asked. */
export const ORPHANS = script(`${NOW}${IS_LONG_GONE}
local orphans, most = {}, tonumber(ARGV[3]) * 3
for _, owner in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(nowMs), 'LIMIT', 0, 256)) do
  if isLongGone(owner, ARGV[2]) then
    for _, call in ipairs(redis.call('SRANDMEMBER', ARGV[1] .. 'calls:' .. owner, ARGV[3])) do
      local found = redis.call('HMGET', ARGV[1] .. 'call:' .. call, 'state', 'owner', 'tok')
      if found[1] == 'live' and found[2] == owner then
        if #orphans == most then return orphans end
        orphans[#orphans + 1] = call
        orphans[#orphans + 1] = owner
        orphans[#orphans + 1] = found[3]
      else
        redis.call('SREM', ARGV[1] .. 'calls:' .. owner, call)
      end
    end
  end
end
return orphans
`);

function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}
