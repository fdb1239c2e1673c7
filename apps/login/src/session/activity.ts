import type { Clock } from "@portvakt/oauth";
import type { KeyValueStore } from "@portvakt/runtime/store";
import { remember } from "./bounded.ts";
import type { Lifetimes } from "./model.ts";

/** When each session was last used. Kept beside the session, so that a request need not rewrite (and re-seal) it. */
export interface Activity {
  start(id: string): Promise<void>;
  /** Counts a request; written without waiting, and at most once a second. */
  touch(id: string): void;
  /** When the session becomes inactive; undefined when it never does. */
  timeoutAt(id: string, createdAt: number): Promise<number | undefined>;
  readonly keyOf: (id: string) => string;
}

/** Activity is written at most this often per session and process, seconds. */
const granularitySeconds = 1;
const maxRemembered = 5000;
const keyOf = (id: string): string => `login:activity:${id}`;

/** Activity in the store, shared by all replicas. */
export function activityIn(
  store: KeyValueStore,
  options: { lifetimes: Lifetimes; now: Clock; onTouchFailed: (error: unknown) => void },
): Activity {
  const { lifetimes, now } = options;
  const { inactivitySeconds, maxSeconds: ttlSeconds } = lifetimes;
  if (inactivitySeconds === undefined)
    return { keyOf, start: async () => {}, touch: () => {}, timeoutAt: async () => undefined };
  const lastSeen = new Map<string, number>();
  return {
    keyOf,
    async start(id) {
      remember(lastSeen, id, now(), maxRemembered);
      await store.set(keyOf(id), encode(now()), { ttlSeconds });
    },
    touch(id) {
      const at = now();
      if (at - (lastSeen.get(id) ?? 0) < granularitySeconds) return;
      remember(lastSeen, id, at, maxRemembered);
      store.set(keyOf(id), encode(at), { ttlSeconds, only: "present" }).catch(options.onTouchFailed);
    },
    async timeoutAt(id, createdAt) {
      const here = lastSeen.get(id);
      if (here !== undefined && now() < here + inactivitySeconds / 2) return here + inactivitySeconds;
      // Another replica may have served this user since.
      const bytes = await store.get(keyOf(id));
      const there = bytes === undefined ? createdAt : Number(new TextDecoder().decode(bytes));
      const last = Math.max(here ?? 0, Number.isFinite(there) ? there : 0);
      remember(lastSeen, id, last, maxRemembered);
      return last + inactivitySeconds;
    },
  };
}

function encode(seconds: number): Uint8Array {
  return new TextEncoder().encode(String(seconds));
}
