import type { Clock } from "@portvakt/oauth";
import type { KeyValueStore } from "@portvakt/runtime/store";
import { remember } from "./bounded.ts";
import type { Session } from "./model.ts";

/** When each session was last used. Kept beside the session, so that a request need not rewrite (and re-seal) it. */
export interface Activity {
  start(session: Session): Promise<void>;
  /** Counts a request; written without waiting, and at most once a second. */
  touch(session: Session): void;
  /** When the session becomes inactive; undefined when it never does. */
  timeoutAt(session: Session): Promise<number | undefined>;
  readonly keyOf: (id: string) => string;
}

/** Activity is written at most this often per session and process, seconds. */
const granularitySeconds = 1;
/** A time each; more sessions than these in one process would ask the store once a second for what stays open. */
const maxRemembered = 100_000;
const keyOf = (id: string): string => `login:activity:${id}`;

/** Activity in the store, shared by all replicas. */
export function activityIn(
  store: KeyValueStore,
  options: { now: Clock; onTouchFailed: (error: unknown) => void },
): Activity {
  const { now } = options;
  const lastSeen = new Map<string, number>();
  return {
    keyOf,
    async start({ id, inactivitySeconds, endsAt }) {
      if (inactivitySeconds === undefined) return;
      remember(lastSeen, id, now(), maxRemembered);
      await store.set(keyOf(id), encode(now()), { ttlSeconds: endsAt - now() });
    },
    touch({ id, inactivitySeconds, endsAt }) {
      const at = now();
      if (inactivitySeconds === undefined || at >= endsAt) return;
      if (at - (lastSeen.get(id) ?? 0) < granularitySeconds) return;
      remember(lastSeen, id, at, maxRemembered);
      const rules = { ttlSeconds: endsAt - at, only: "present" } as const;
      store.set(keyOf(id), encode(at), rules).catch(options.onTouchFailed);
    },
    async timeoutAt({ id, inactivitySeconds, createdAt }) {
      if (inactivitySeconds === undefined) return undefined;
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
