import type { Clock } from "@portvakt/oauth";

/** What is remembered for a while: codes, sessions, pushed requests. Bounded: when full, the oldest entry goes. */
export interface Expiring<V> {
  get(key: string): V | undefined;
  set(key: string, value: V, ttlSeconds: number): void;
  delete(key: string): void;
  values(): V[];
  clear(): void;
}

/** Makes an empty memory of at most `maxEntries`; the stand-ins keep nothing over a restart. */
export function expiring<V>(now: Clock, maxEntries = 10_000): Expiring<V> {
  const entries = new Map<string, { value: V; expiresAt: number }>();
  const live = (entry: { expiresAt: number } | undefined): boolean =>
    entry !== undefined && entry.expiresAt > now();
  return {
    get(key) {
      const entry = entries.get(key);
      if (live(entry)) return entry?.value;
      entries.delete(key);
      return undefined;
    },
    set(key, value, ttlSeconds) {
      entries.delete(key);
      if (entries.size >= maxEntries) {
        const oldest = entries.keys().next().value;
        if (oldest !== undefined) entries.delete(oldest);
      }
      entries.set(key, { value, expiresAt: now() + ttlSeconds });
    },
    delete: (key) => void entries.delete(key),
    values: () => [...entries.values()].filter(live).map((entry) => entry.value),
    clear: () => entries.clear(),
  };
}
