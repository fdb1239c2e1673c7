import { hash } from "node:crypto";
import type { Clock } from "@portvakt/oauth";
import { createLru } from "../lru.ts";
import type { Discovered } from "../connections/connection.ts";
import type { Judgement } from "./judgement.ts";
import { createSightings } from "./sightings.ts";

/** A token that was found valid, as its answer: claims are only made of it again where somebody asks for them. */
export interface Remembered extends Active {
  /** The time within which it is valid: also a clock that is set back leaves it. */
  readonly from: number;
  readonly until: number;
  /** When the keys that it was verified with had been fetched. */
  readonly keysFetchedAt: number | undefined;
}

type Active = Extract<Judgement, { readonly active: true }>;

export interface TokenMemory {
  find(token: string, under: Discovered): Remembered | undefined;
  /** Remembers the answer for a token that has just been verified under these rules, when it is not the first time. */
  add(token: string, under: Discovered, remembered: Remembered): void;
  readonly size: number;
}

/**
 * Remembers tokens that were verified twice, until they expire: those that come once cost nothing, and put no others out. The key
 * is a hash of the token and of every rule that it was judged by. Keys that were fetched anew make every token be verified anew,
 * so that a withdrawn key ends its tokens.
 */
export function createTokenMemory(options: { now: Clock; maxEntries: number }): TokenMemory {
  const { now, maxEntries } = options;
  const entries = createLru<Remembered>(maxEntries);
  const sightings = createSightings(maxEntries);
  /** A token that is not found is verified, and then added: its hash is made once. */
  let last = { token: "", hash: "" };
  const keyOf = (token: string, { rulesId }: Discovered): string => {
    if (token !== last.token) last = { token, hash: hash("sha256", token, "base64url") };
    return rulesId + last.hash;
  };
  return {
    get size() {
      return entries.size;
    },
    find(token, under) {
      if (!sightings.has(token)) return undefined;
      const key = keyOf(token, under);
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      const at = now();
      if (at < entry.until && at >= entry.from && entry.keysFetchedAt === under.keys.fetchedAt) return entry;
      entries.delete(key);
      return undefined;
    },
    add(token, under, remembered) {
      if (sightings.note(token) && remembered.until > now()) entries.set(keyOf(token, under), remembered);
    },
  };
}
