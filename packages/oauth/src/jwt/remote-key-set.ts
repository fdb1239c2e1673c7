import type { JWK } from "jose";
import type { Clock } from "../clock.ts";
import { fetchJson } from "../client/answer.ts";
import { Fault } from "../errors.ts";
import { indexKeys, unknownKey, type KeyIndex, type KeyLookup, type KeySet } from "./key-set.ts";

export interface RemoteKeySet extends KeySet {
  /** Fetches the keys now. Throws: Fault; the keys held before stay in use. */
  load(): Promise<void>;
  /** When the keys in use were fetched, in seconds; undefined before the first success. */
  readonly fetchedAt: number | undefined;
  readonly size: number;
}

export interface RemoteKeySetOptions {
  readonly uri: string;
  readonly now: Clock;
  readonly fetch?: typeof fetch;
  /** Bound on one fetch, default 5. */
  readonly timeoutSeconds?: number;
  /** Least time between two fetches that unknown keys or failures cause, default 5. */
  readonly cooldownSeconds?: number;
  /** Age from which keys are fetched anew in the background, default 6 h. */
  readonly maxAgeSeconds?: number;
  /** Age from which keys are used no more when they cannot be fetched, default 24 h. */
  readonly maxStaleSeconds?: number;
  /** Largest key set that is read, default 256 KiB. */
  readonly maxBytes?: number;
}

/**
 * The key set behind a `jwks_uri` (RFC 7517 section 5). One fetch at a time, whoever asks; an unknown `kid` causes at
 * most one fetch in `cooldownSeconds`, never one per token; keys survive an outage of the issuer up to a bound.
 */
export function remoteKeySet(options: RemoteKeySetOptions): RemoteKeySet {
  const { uri, now, cooldownSeconds = 5, maxAgeSeconds = 21_600, maxStaleSeconds = 86_400 } = options;
  let held: { readonly index: KeyIndex; at: number } | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let failure = "";
  let pending: Promise<void> | undefined;

  const loadNow = async (): Promise<void> => {
    try {
      held = { index: indexKeys(await fetchKeys(options)), at: now() };
      failure = "";
    } catch (cause) {
      failure = cause instanceof Fault ? cause.message : "the keys could not be read";
      throw cause;
    } finally {
      pending = undefined;
    }
  };
  const load = (): Promise<void> => {
    attemptedAt = now();
    return (pending ??= loadNow());
  };
  const loadUnlessRecent = async (): Promise<void> => {
    // A clock that was set back must not stop the fetching.
    const sinceAttempt = now() - attemptedAt;
    if (pending === undefined && sinceAttempt >= 0 && sinceAttempt < cooldownSeconds) return;
    await (pending ?? load()).catch(() => undefined);
  };
  /** How old the keys are. After a clock was set back nobody knows, so they are old enough to be fetched, and grow older from there. */
  const ageOf = (keys: { at: number }): number => {
    const at = now();
    if (keys.at > at) keys.at = at - maxAgeSeconds;
    return at - keys.at;
  };
  const fresh = (): KeyIndex | undefined =>
    held !== undefined && ageOf(held) < maxStaleSeconds ? held.index : undefined;

  const findLater = async (header: { readonly kid?: string; readonly alg: string }): Promise<KeyLookup> => {
    if (fresh() === undefined) await loadUnlessRecent();
    const before = fresh();
    const found = await before?.find(header);
    if (found !== undefined) return found;
    if (before !== undefined) await loadUnlessRecent();
    const index = fresh();
    if (index === undefined) return unavailable(uri, failure);
    const key = index === before ? undefined : await index.find(header);
    if (key !== undefined) return key;
    const age = Math.round(held === undefined ? 0 : ageOf(held));
    return unknownKey(header, index, `the ${index.size} keys of ${uri} fetched ${age} s ago`);
  };

  return {
    load,
    get fetchedAt() {
      return held?.at;
    },
    get size() {
      return held?.index.size ?? 0;
    },
    find(header) {
      if (held !== undefined && ageOf(held) >= maxAgeSeconds) void loadUnlessRecent();
      return fresh()?.known(header) ?? findLater(header);
    },
  };
}

function unavailable(uri: string, failure: string): KeyLookup {
  return { ok: false, code: "keys_unavailable", message: `no keys of ${uri} are at hand: ${failure}` };
}

async function fetchKeys(options: RemoteKeySetOptions): Promise<JWK[]> {
  const document = await fetchJson(options.uri, {
    fetch: options.fetch,
    timeoutSeconds: options.timeoutSeconds ?? 5,
    maxBytes: options.maxBytes ?? 262_144,
  });
  const members: unknown = document["keys"];
  // RFC 7517 section 5: what is no key is ignored, and costs nobody the others.
  const keys = Array.isArray(members) ? members.filter(isJwk) : [];
  if (keys.length === 0) throw new Fault("bad_response", `${options.uri} is not a JWK Set with keys`);
  return keys;
}

function isJwk(value: unknown): value is JWK {
  return typeof value === "object" && value !== null && typeof (value as JWK).kty === "string";
}
