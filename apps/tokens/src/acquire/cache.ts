import type { Clock } from "@portvakt/oauth";
import { createLru, type Lru } from "../lru.ts";

/** Something that is good until a time. */
export interface Perishable<T> {
  readonly value: T;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/** How a value was come by: from memory, by asking, or from memory because asking failed. */
export type Source = "hit" | "miss" | "stale";

export interface Obtained<T> extends Perishable<T> {
  readonly source: Source;
}

export interface CacheOptions {
  readonly now: Clock;
  /** 0 up to, not including, 1: spreads refreshes, so that tokens got together are not renewed together. */
  readonly random: () => number;
  readonly maxEntries: number;
  /** How long a final refusal is repeated without asking again. */
  readonly refusalSeconds: number;
  /** Whether an error is a final refusal: one that the same request will meet again. */
  readonly isFinal: (error: unknown) => boolean;
}

/** How a value is loaded when it is not held. */
export interface Loading<T> {
  readonly load: () => Promise<Perishable<T>>;
  /** Bounds how long this caller waits for a load, its own or another's; the load itself goes on. */
  readonly wait: (flight: Promise<Perishable<T>>) => Promise<Perishable<T>>;
  /** Loads anew, whatever is held; what is held stays for others until the new value is there. */
  readonly skip: boolean;
  /** Whether the value, once asked for again, is renewed ahead of its expiry even while nobody asks. */
  readonly ahead?: boolean;
}

export interface Cache<T> {
  /** Gives what is held for the key, at once, or loads it. Throws what `load` and `wait` throw. */
  obtain(key: string, loading: Loading<T>): Obtained<T> | Promise<Obtained<T>>;
  /** Renews what is due and was asked for since it was loaded, `atOnce` at most. To be called every few seconds. */
  renewDue(atOnce: number): void;
  readonly size: number;
}

type Entry<T> = Held<T> | Refused;

interface Held<T> extends Perishable<T> {
  readonly since: number;
  /** From here on the next call renews the value, in the background. */
  refreshAt: number;
  /** From here on callers wait for a new value: what is left of this one is too short to be of use. */
  readonly freshUntil: number;
  /** How to load it once more, set when it is asked for: what nobody has asked for again is left to expire. */
  again?: Loading<T>["load"];
}

interface Refused {
  readonly since: number;
  readonly refusal: unknown;
  readonly until: number;
}

/**
 * An entry from further in the future than this was written by another clock than the one that is read now, and which of the
 * two is wrong nobody knows: a refusal is not repeated, a value is handed out, and renewed at once.
 */
const clockStepSeconds = 5;
const isMistimed = ({ since }: { readonly since: number }, now: number): boolean =>
  since > now + clockStepSeconds;

/** Least time between two attempts to renew the same value in the background. */
const renewalPauseSeconds = 5;

/**
 * A bounded memory of perishable values; the least recently used goes first. Equal concurrent loads are one (single
 * flight). A value is renewed ahead of its expiry while it is still handed out, so that callers who keep calling never
 * wait. When renewing fails, the value is handed out until it truly expires.
 */
export function createCache<T>(options: CacheOptions): Cache<T> {
  const { now, random, isFinal } = options;
  const entries = createLru<Entry<T>>(options.maxEntries);
  const flights = new Map<string, Promise<Perishable<T>>>();

  const start = createStart(options, entries, flights);
  const loadAndWait = async (key: string, { load, wait, skip }: Loading<T>): Promise<Obtained<T>> => {
    try {
      return { ...(await wait(flights.get(key) ?? start(key, load))), source: "miss" };
    } catch (error) {
      const held = skip ? undefined : entries.get(key);
      if (isFinal(error) || held === undefined || "refusal" in held || now() >= held.expiresAt) throw error;
      return { value: held.value, expiresAt: held.expiresAt, source: "stale" };
    }
  };
  /** What is worth a look by `renewDue`: the keys of entries that have `again`. */
  const awaited = new Set<string>();
  const renew = (key: string, held: Held<T>, load: Loading<T>["load"]): boolean => {
    // A pause is never so long: that time is the other clock's.
    const mistimed = isMistimed(held, now()) && held.refreshAt - now() > 2 * renewalPauseSeconds;
    if ((now() < held.refreshAt && !mistimed) || flights.has(key)) return false;
    held.refreshAt = now() + renewalPauseSeconds * (1 + random());
    start(key, load).catch(() => undefined);
    return true;
  };
  const markAwaited = (key: string, held: Held<T>, { ahead, load }: Loading<T>): void => {
    if (ahead !== true || held.again !== undefined) return;
    held.again = load;
    awaited.add(key);
  };

  return {
    get size() {
      return entries.size;
    },
    renewDue(atOnce) {
      let started = 0;
      for (const key of awaited) {
        if (started >= atOnce) return;
        const entry = entries.peek(key);
        if (!isAwaited(entry, now())) awaited.delete(key);
        else if (renew(key, entry, entry.again)) started += 1;
      }
    },
    obtain(key, loading) {
      if (loading.skip) {
        flights.delete(key);
        return loadAndWait(key, loading);
      }
      const entry = entries.get(key);
      if (entry === undefined) return loadAndWait(key, loading);
      if ("refusal" in entry) {
        const stands = now() < entry.until && !isMistimed(entry, now());
        return stands ? Promise.reject(entry.refusal) : loadAndWait(key, loading);
      }
      if (now() >= entry.freshUntil) return loadAndWait(key, loading);
      markAwaited(key, entry, loading);
      renew(key, entry, loading.load);
      return { value: entry.value, expiresAt: entry.expiresAt, source: "hit" };
    },
  };
}

/** Makes what starts one load for a key, and keeps what it brings. */
function createStart<T>(
  { now, random, isFinal, refusalSeconds }: CacheOptions,
  entries: Lru<Entry<T>>,
  flights: Map<string, Promise<Perishable<T>>>,
): (key: string, load: () => Promise<Perishable<T>>) => Promise<Perishable<T>> {
  return (key, load) => {
    // A flight that `skip` has overtaken keeps nothing: it may bring what the caller wanted to be rid of.
    const isCurrent = (): boolean => flights.get(key) === flight;
    const flight: Promise<Perishable<T>> = load()
      .then((loaded) => {
        if (isCurrent() && loaded.expiresAt > now()) entries.set(key, timed(loaded, now(), random()));
        return loaded;
      })
      .catch((error: unknown) => {
        const since = now();
        const held = entries.peek(key);
        // A refusal ends what was held too: the provider has changed its mind about this caller. Not so when a clock has
        // stepped back: what we sign may be refused for its time.
        if (isCurrent() && isFinal(error) && (held === undefined || !isMistimed(held, since))) {
          entries.set(key, { since, refusal: error, until: since + refusalSeconds });
        }
        throw error;
      })
      .finally(() => {
        if (isCurrent()) flights.delete(key);
      });
    flights.set(key, flight);
    return flight;
  };
}

/** Whether a value is still held that somebody asked for again. */
function isAwaited<T>(
  entry: Entry<T> | undefined,
  now: number,
): entry is Held<T> & { again: Loading<T>["load"] } {
  return entry !== undefined && !("refusal" in entry) && entry.again !== undefined && now < entry.expiresAt;
}

function timed<T>(loaded: Perishable<T>, now: number, random: number): Held<T> {
  const lifetime = loaded.expiresAt - now;
  return {
    ...loaded,
    since: now,
    refreshAt: now + lifetime * (0.7 + 0.1 * random),
    freshUntil: loaded.expiresAt - Math.min(30, lifetime / 10),
  };
}

/**
 * A key that two different lists of parts never share: each part goes with its length, absent ones are told from empty
 * ones. Lists keep their order, for a provider may.
 */
export function cacheKey(parts: readonly (string | undefined)[]): string {
  return parts.map((part) => (part === undefined ? "-" : `${part.length}:${part}`)).join(",");
}
