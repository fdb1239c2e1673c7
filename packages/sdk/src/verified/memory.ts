import type { Clock, JwtClaims } from "@portvakt/oauth";

/** Claims by the token that they were verified from. */
export interface ClaimsMemory {
  /** The claims of a token that was verified under `rules` with keys fetched at `keysFetchedAt`, while that still holds. */
  find(rules: string, token: string, keysFetchedAt: number | undefined): Readonly<JwtClaims> | undefined;
  add(rules: string, token: string, keysFetchedAt: number | undefined, claims: Readonly<JwtClaims>): void;
}

interface Entry {
  readonly claims: Readonly<JwtClaims>;
  readonly keysFetchedAt: number | undefined;
  readonly until: number;
}

/** Longest time, in seconds, for which a signature is not looked at again: a bound on what a withdrawn key may still open. */
const longestSeconds = 300;

/**
 * Makes a memory of at most `maxEntries` verified tokens, the least recently used out first. A token is forgotten at its
 * expiry, after five minutes, and when its provider's keys were fetched anew. Refusals are never remembered, so nobody fills
 * it with tokens of their own making. The token itself is the key: whoever can read this memory can read the requests too.
 */
export function createClaimsMemory(now: Clock, maxEntries: number): ClaimsMemory {
  const entries = new Map<string, Entry>();
  return {
    find(rules, token, keysFetchedAt) {
      const key = `${rules} ${token}`;
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (now() >= entry.until || entry.keysFetchedAt !== keysFetchedAt) return undefined;
      entries.set(key, entry);
      return entry.claims;
    },
    add(rules, token, keysFetchedAt, claims) {
      const until = Math.min(claims.exp ?? 0, now() + longestSeconds);
      if (maxEntries < 1 || until <= now()) return;
      entries.set(`${rules} ${token}`, { claims: frozen(claims), keysFetchedAt, until });
      const [oldest] = entries.keys();
      if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    },
  };
}

/** Frozen through and through: what one request is told must not change what the next one is told. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
