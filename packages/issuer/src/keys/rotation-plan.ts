import type { SignatureAlgorithm, Signer } from "@portvakt/oauth";

/** A signing key with its times, seconds since the epoch. Published from the moment it is stored. */
export interface StoredKey {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  /** The private JWK. A store that keeps it seals it. */
  readonly jwk: Signer["publicJwk"];
  /** Signs from here on, until a later key of its algorithm does. */
  readonly activeFrom: number;
}

export interface RotationPolicy {
  /** How long one key signs. */
  readonly periodSeconds: number;
  /** How long a key is published before it signs: at least as long as verifiers cache the key set. */
  readonly aheadSeconds: number;
  /** How long a superseded key stays published: the longest token life, plus the cache time. */
  readonly keepSeconds: number;
}

/** Keys in the order in which they begin to sign. */
export function inOrder(keys: readonly StoredKey[]): StoredKey[] {
  return keys.toSorted((a, b) => a.activeFrom - b.activeFrom || (a.kid < b.kid ? -1 : 1));
}

/** The keys of one algorithm in order, by their role at `now`. */
export function roles(
  keys: readonly StoredKey[],
  now: number,
): { previous: StoredKey[]; current?: StoredKey; next: StoredKey[] } {
  const ordered = inOrder(keys);
  const next = ordered.filter((key) => key.activeFrom > now);
  const begun = ordered.filter((key) => key.activeFrom <= now);
  const current = begun.pop();
  return { previous: begun, next, ...(current && { current }) };
}

/** What is to be done with the keys of one algorithm: the times at which new keys begin, and which keys go. */
export interface RotationPlan {
  readonly create: readonly number[];
  readonly drop: readonly StoredKey[];
}

/**
 * Plans the rotation of one algorithm's keys. Without a current key one begins at once; there is always a next one,
 * made at least `aheadSeconds` before it signs, so that rotating needs nothing but the passing of time.
 */
export function planRotation(keys: readonly StoredKey[], now: number, policy: RotationPolicy): RotationPlan {
  const { previous, current, next } = roles(keys, now);
  const create: number[] = [];
  const begun = current?.activeFrom ?? now;
  if (current === undefined) create.push(now);
  if (next.length === 0) create.push(Math.max(begun + policy.periodSeconds, now + policy.aheadSeconds));
  // A key was superseded when its successor began.
  const line = current === undefined ? previous : [...previous, current];
  const drop = previous.filter((_, index) => (line[index + 1]?.activeFrom ?? now) + policy.keepSeconds < now);
  return { create, drop };
}
