import type { Clock } from "@portvakt/oauth";
import { createLru, type Lru } from "../lru.ts";

/** Something that is good until a time. */
export interface Perishable<T> {
  readonly value: T;
  /** Seconds on the steady clock. */
  readonly expiresAt: number;
}

/** How a value was come by: from memory, by asking, or from memory because asking failed. */
export type Source = "hit" | "miss" | "stale";

export interface Obtained<T> extends Perishable<T> {
  readonly source: Source;
}

export interface CacheOptions {
  /** The clock that everybody reads. It may be set wrong, and right again. */
  readonly now: Clock;
  /** A clock that nobody sets; lifetimes are measured by it. */
  readonly steady: Clock;
  /** 0 up to, not including, 1: spreads refreshes, so that tokens got together are not renewed together. */
  readonly random: () => number;
  readonly maxEntries: number;
  /** How long an error is repeated without asking again, in seconds; undefined for not at all. */
  readonly repeatSeconds: (error: unknown) => number | undefined;
  /** Whether an error is a final refusal: one that the same request will meet again. It ends what was held, too. */
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

interface Timed {
  /** By how much the clocks differed when the entry was made. */
  readonly difference: number;
}

interface Held<T> extends Perishable<T>, Timed {
  /** From here on the next call renews the value, in the background. */
  refreshAt: number;
  /** From here on callers wait for a new value: what is left of this one is too short to be of use. */
  readonly freshUntil: number;
  /** While the clocks differ by something else than before: from here on the next call waits for a new value. */
  doubtAt: number;
  /** How to load it once more, set when it is asked for: what nobody has asked for again is left to expire. */
  again?: Loading<T>["load"];
}

interface Refused extends Timed {
  readonly refusal: unknown;
  readonly until: number;
}

/**
 * Clocks that differ by more than this from how they did: one was set, or stood still while the machine slept. Which of
 * them is right nobody knows. A refusal is then not repeated; for a value a new one is tried to be got, and when that fails it is
 * handed out for as long as the steady clock says, for a provider refuses whoever signs at a wrong time.
 */
const clockStepSeconds = 5;

/** Least time between two attempts to renew the same value in the background. */
const renewalPauseSeconds = 5;

/**
 * A bounded memory of perishable values; the least recently used goes first. Equal concurrent loads are one (single
 * flight). A value is renewed ahead of its expiry while it is still handed out, so that callers who keep calling never
 * wait. When renewing fails, the value is handed out until it truly expires.
 */
export function createCache<T>(options: CacheOptions): Cache<T> {
  const { now, steady, isFinal } = options;
  const entries = createLru<Entry<T>>(options.maxEntries);
  const flights = new Map<string, Promise<Perishable<T>>>();

  const isMistimed = ({ difference }: Timed): boolean =>
    Math.abs(now() - steady() - difference) > clockStepSeconds;
  const parts = { entries, flights, isMistimed };
  const start = createStart(options, parts);
  const renewals = createRenewals(options, parts, start);
  const loadAndWait = async (key: string, { load, wait, skip }: Loading<T>): Promise<Obtained<T>> => {
    try {
      return { ...(await wait(flights.get(key) ?? start(key, load))), source: "miss" };
    } catch (error) {
      const held = skip ? undefined : entries.get(key);
      if (!isValue(held) || steady() >= held.expiresAt) throw error;
      if (isFinal(error) && !isMistimed(held)) throw error;
      return { value: held.value, expiresAt: held.expiresAt, source: "stale" };
    }
  };

  return {
    get size() {
      return entries.size;
    },
    renewDue: renewals.renewDue,
    obtain(key, loading) {
      if (loading.skip) {
        flights.delete(key);
        return loadAndWait(key, loading);
      }
      const entry = entries.get(key);
      if (entry === undefined) return loadAndWait(key, loading);
      if (!isValue(entry)) {
        const stands = steady() < entry.until && !isMistimed(entry);
        return stands ? Promise.reject(entry.refusal) : loadAndWait(key, loading);
      }
      if (steady() >= entry.freshUntil) return loadAndWait(key, loading);
      if (steady() >= entry.doubtAt && isMistimed(entry)) {
        entry.doubtAt = renewals.pauseEnd();
        return loadAndWait(key, loading);
      }
      renewals.markAwaited(key, entry, loading);
      renewals.renew(key, entry, loading.load);
      return { value: entry.value, expiresAt: entry.expiresAt, source: "hit" };
    },
  };
}

/** Makes what renews values in the background: when they are asked for, and those that are awaited also when they are not. */
function createRenewals<T>(
  { steady, random }: CacheOptions,
  { entries, flights }: Parts<T>,
  start: ReturnType<typeof createStart<T>>,
) {
  /** What is worth a look by `renewDue`: the keys of entries that have `again`. */
  const awaited = new Set<string>();
  const pauseEnd = (): number => steady() + renewalPauseSeconds * (1 + random());
  const renew = (key: string, held: Held<T>, load: Loading<T>["load"]): boolean => {
    if (steady() < held.refreshAt || flights.has(key)) return false;
    held.refreshAt = pauseEnd();
    start(key, load).catch(() => undefined);
    return true;
  };
  return {
    pauseEnd,
    renew,
    markAwaited(key: string, held: Held<T>, { ahead, load }: Loading<T>): void {
      if (ahead !== true || held.again !== undefined) return;
      held.again = load;
      awaited.add(key);
    },
    renewDue(atOnce: number): void {
      let started = 0;
      for (const key of awaited) {
        if (started >= atOnce) return;
        const entry = entries.peek(key);
        if (!isAwaited(entry, steady())) awaited.delete(key);
        else if (renew(key, entry, entry.again)) started += 1;
      }
    },
  };
}

/** Makes what starts one load for a key, and keeps what it brings. */
function createStart<T>(
  { now, steady, random, isFinal, repeatSeconds }: CacheOptions,
  { entries, flights, isMistimed }: Parts<T>,
): (key: string, load: () => Promise<Perishable<T>>) => Promise<Perishable<T>> {
  return (key, load) => {
    // A flight that `skip` has overtaken keeps nothing: it may bring what the caller wanted to be rid of.
    const isCurrent = (): boolean => flights.get(key) === flight;
    const keep = ({ value, expiresAt }: Perishable<T>): void => {
      const at = steady();
      const lifetime = expiresAt - at;
      if (lifetime <= 0) return;
      const refreshAt = at + lifetime * (0.7 + 0.1 * random());
      const freshUntil = expiresAt - Math.min(30, lifetime / 10);
      const difference = now() - at;
      entries.set(key, { value, expiresAt, refreshAt, freshUntil, difference, doubtAt: at });
    };
    const repeat = (refusal: unknown): void => {
      const [seconds, held, at] = [repeatSeconds(refusal), entries.peek(key), steady()];
      // A final refusal ends what was held too: the provider has changed its mind about this caller.
      const stays = isValue(held) && at < held.expiresAt && (!isFinal(refusal) || isMistimed(held));
      if (seconds === undefined || stays) return;
      entries.set(key, { refusal, until: at + seconds, difference: now() - at });
    };
    const flight: Promise<Perishable<T>> = load()
      .then((loaded) => {
        if (isCurrent()) keep(loaded);
        return loaded;
      })
      .catch((error: unknown) => {
        if (isCurrent()) repeat(error);
        throw error;
      })
      .finally(() => {
        if (isCurrent()) flights.delete(key);
      });
    flights.set(key, flight);
    return flight;
  };
}

interface Parts<T> {
  readonly entries: Lru<Entry<T>>;
  readonly flights: Map<string, Promise<Perishable<T>>>;
  readonly isMistimed: (entry: Timed) => boolean;
}

function isValue<T>(entry: Entry<T> | undefined): entry is Held<T> {
  return entry !== undefined && !("refusal" in entry);
}

/** Whether a value is still held that somebody asked for again. */
function isAwaited<T>(
  entry: Entry<T> | undefined,
  at: number,
): entry is Held<T> & { again: Loading<T>["load"] } {
  return isValue(entry) && entry.again !== undefined && at < entry.expiresAt;
}

/**
 * A key that two different lists of parts never share: each part goes with its length, absent ones are told from empty
 * ones. Lists keep their order, for a provider may.
 */
export function cacheKey(parts: readonly (string | undefined)[]): string {
  return parts.map((part) => (part === undefined ? "-" : `${part.length}:${part}`)).join(",");
}
