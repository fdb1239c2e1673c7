// What must happen in one step inside Redis. Times come from the server's clock, so replicas' clocks do not matter.
import { defineScript } from "@redis/client";
import type { CommandParser, RedisArgument } from "@redis/client";

/** Microseconds since the epoch: below 2^53, so exact in Lua's doubles; written with `%.0f`, for tostring rounds to 14 digits. */
const serverTime =
  "local t = redis.call('TIME') local now = t[1] * 1000000 + t[2] local text = function(n) return string.format('%.0f', n) end";

const asNumber = (reply: number | string | Uint8Array | null): number =>
  reply === null ? 0 : Number(String(reply));

/** KEYS lock, fence counter; ARGV owner, ttl in ms. Gives the fence, or 0 when the lock is taken. */
const takeLock = defineScript({
  SCRIPT: `${serverTime}
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return '0' end
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local fence = math.max(last + 1, now)
redis.call('SET', KEYS[2], text(fence), 'PX', math.max(86400000, 2 * ARGV[2]))
return text(fence)`,
  NUMBER_OF_KEYS: 2,
  parseCommand(parser: CommandParser, lock: string, counter: string, owner: string, ttlMs: number): void {
    parser.pushKeys([lock, counter]);
    parser.push(owner, String(ttlMs));
  },
  transformReply: asNumber,
});

/** KEYS lock; ARGV owner, ttl in ms. Gives 1 when the owner still holds the lock, which then lives that long from now. */
const extendLock = defineScript({
  SCRIPT:
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0",
  NUMBER_OF_KEYS: 1,
  parseCommand(parser: CommandParser, lock: string, owner: string, ttlMs: number): void {
    parser.pushKey(lock);
    parser.push(owner, String(ttlMs));
  },
  transformReply: asNumber,
});

/** KEYS value; ARGV what it must be. Deletes it if it still is; a lock is freed so by its owner. Gives 1 when it did. */
const deleteIf = defineScript({
  SCRIPT: "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
  NUMBER_OF_KEYS: 1,
  parseCommand(parser: CommandParser, key: string, value: RedisArgument): void {
    parser.pushKey(key);
    parser.push(value);
  },
  transformReply: asNumber,
});

/** KEYS value, its fence; ARGV value, ttl in ms, fence, 'present' or ''. Gives 1 when it set the value. */
const setFenced = defineScript({
  SCRIPT: `
if ARGV[4] == 'present' and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if tonumber(redis.call('GET', KEYS[2]) or '0') > tonumber(ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[2])
return 1`,
  NUMBER_OF_KEYS: 2,
  parseCommand(
    parser: CommandParser,
    key: string,
    fenceKey: string,
    value: RedisArgument,
    ttlMs: number,
    fence: number,
    only: string,
  ): void {
    parser.pushKeys([key, fenceKey]);
    parser.push(value, String(ttlMs), String(fence), only);
  },
  transformReply: asNumber,
});

/** KEYS set; ARGV member, ttl in ms. The set is sorted by when each member expires, and lives as long as its last. */
const addMember = defineScript({
  SCRIPT: `${serverTime}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
redis.call('ZADD', KEYS[1], text(now + ARGV[2] * 1000), ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], text(math.ceil(last[2] / 1000)))
return 1`,
  NUMBER_OF_KEYS: 1,
  parseCommand(parser: CommandParser, key: string, member: string, ttlMs: number): void {
    parser.pushKey(key);
    parser.push(member, String(ttlMs));
  },
  transformReply: asNumber,
});

/** KEYS set. Gives the members that have not expired. */
const liveMembers = defineScript({
  SCRIPT: `${serverTime}
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(now), '+inf')`,
  NUMBER_OF_KEYS: 1,
  parseCommand(parser: CommandParser, key: string): void {
    parser.pushKey(key);
  },
  transformReply: (reply: readonly (string | Uint8Array)[]): string[] => reply.map(String),
});

export const scripts = { takeLock, extendLock, deleteIf, setFenced, addMember, liveMembers } as const;
