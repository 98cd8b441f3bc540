import { createHash } from 'node:crypto';
import type { RedisConnection } from './redis-client.js';

// A token is OWNER.NUMBER: the locker and its claim. The locker listens to the channel that bears its name.
const prelude = `
local channels = ARGV[1]
local token = ARGV[2]
local function owner(of) return string.match(of, '^[^.]+') end
local function tell(whom, what) redis.call('PUBLISH', channels .. owner(whom), what .. ' ' .. whom) end
`;

/**
 * The lock if it is free, or meant for this claim, or left over by an older claim of the same locker, which has one at a
 * time for an ID. Otherwise a place in the line, and word to the holder.
 *
 * Fences follow the clock of Redis, so they rise even after all its data was lost; and they count on from the last one,
 * so they rise even when the clock was turned back.
 */
const acquire = `${prelude}
local lock, fence, waiters, watchers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local leaseMs, keepMs = ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local holder = redis.call('GET', lock)
if holder and owner(holder) ~= owner(token) then
  redis.call('ZADD', waiters, 'NX', string.format('%.0f', now), token)
  local leftMs = redis.call('PTTL', lock)
  redis.call('PEXPIRE', waiters, leftMs + 2 * leaseMs)
  tell(holder, 'ask')
  return {0, leftMs}
end
if not holder then
  -- They waited for one whose lease has run out.
  for _, watcher in ipairs(redis.call('SMEMBERS', watchers)) do tell(watcher, 'look') end
  redis.call('DEL', watchers)
end
redis.call('SET', lock, token, 'PX', leaseMs)
redis.call('ZREM', waiters, token)
local number = math.max(now, (tonumber(redis.call('GET', fence)) or 0) + 1)
redis.call('SET', fence, string.format('%.0f', number), 'PX', keepMs)
return {1, number, redis.call('EXISTS', waiters, watchers)}
`;

/** Lets go of the lock, or of the place in the line. The next one in it has the lock set aside for a moment. */
const release = `${prelude}
local lock, waiters, watchers = KEYS[1], KEYS[2], KEYS[3]
local reserveMs = ARGV[3]
if redis.call('GET', lock) ~= token then return redis.call('ZREM', waiters, token) end
for _, watcher in ipairs(redis.call('SMEMBERS', watchers)) do tell(watcher, 'look') end
redis.call('DEL', watchers)
local next = redis.call('ZPOPMIN', waiters)[1]
if next then
  redis.call('SET', lock, next, 'PX', reserveMs)
  tell(next, 'look')
else
  redis.call('DEL', lock)
end
return 1
`;

/** 0: not ours any more; 1: renewed; 2: renewed, and somebody wants it. */
const renew = `${prelude}
local lock, waiters, watchers = KEYS[1], KEYS[2], KEYS[3]
local leaseMs = ARGV[3]
if redis.call('GET', lock) ~= token then return 0 end
redis.call('PEXPIRE', lock, leaseMs)
return 1 + math.min(1, redis.call('EXISTS', waiters, watchers))
`;

/** Who has the lock, if anybody, and word to him; the claim is told when he has let go. */
const watch = `${prelude}
local lock, watchers = KEYS[1], KEYS[2]
local leaseMs = ARGV[3]
local holder = redis.call('GET', lock)
if not holder then return {} end
local leftMs = redis.call('PTTL', lock)
redis.call('SADD', watchers, token)
redis.call('PEXPIRE', watchers, leftMs + 2 * leaseMs)
tell(holder, 'ask')
return {holder, leftMs}
`;

const scripts = { acquire, release, renew, watch };
type ScriptName = keyof typeof scripts;

const shas: Readonly<Record<ScriptName, string>> = {
  acquire: sha1(acquire),
  release: sha1(release),
  renew: sha1(renew),
  watch: sha1(watch),
};

/** Runs a script by its name; its text is sent only where Redis does not know it (any more). */
export async function runScript(
  connection: RedisConnection,
  name: ScriptName,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  try {
    return await connection.evalSha(shas[name], keys, args);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return connection.eval(scripts[name], keys, args);
  }
}

function sha1(lua: string): string {
  return createHash('sha1').update(lua).digest('hex');
}
