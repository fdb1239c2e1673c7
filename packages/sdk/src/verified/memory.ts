import type { Clock, JwtClaims } from "@portvakt/oauth";
import type { Stopwatch } from "../stopwatch.ts";

/** Claims by the token that they were verified from. */
export interface ClaimsMemory {
  /** The claims of a token that was verified under `rules` with keys fetched at `keysFetchedAt`, while that still holds. */
  find(rules: string, token: string, keysFetchedAt: number | undefined): Readonly<JwtClaims> | undefined;
  add(rules: string, token: string, keysFetchedAt: number | undefined, claims: Readonly<JwtClaims>): void;
}

interface Entry {
  readonly claims: Readonly<JwtClaims>;
  readonly keysFetchedAt: number | undefined;
  readonly age: () => number;
}

/** Longest time, in seconds, for which a signature is not looked at again: a bound on what a withdrawn key may still open. */
const longestSeconds = 300;

/**
 * Makes a memory of at most `maxEntries` verified tokens, the least recently used out first. A token is forgotten at its
 * expiry, after five minutes, and when its provider's keys were fetched anew. Refusals are never remembered, so nobody fills
 * it with tokens of their own making. The token itself is the key: whoever can read this memory can read the requests too.
 */
export function createClaimsMemory(now: Clock, stopwatch: Stopwatch, maxEntries: number): ClaimsMemory {
  const entries = new Map<string, Entry>();
  const isOver = ({ claims, age }: Entry): boolean => now() >= (claims.exp ?? 0) || age() >= longestSeconds;
  return {
    find(rules, token, keysFetchedAt) {
      const key = `${rules} ${token}`;
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (isOver(entry) || entry.keysFetchedAt !== keysFetchedAt) return undefined;
      entries.set(key, entry);
      return entry.claims;
    },
    add(rules, token, keysFetchedAt, claims) {
      const entry = { claims, keysFetchedAt, age: stopwatch() };
      if (maxEntries < 1 || isOver(entry)) return;
      entries.set(`${rules} ${token}`, entry);
      const [oldest] = entries.keys();
      if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    },
  };
}
