import { createSigner, generatePrivateJwk, localKeySet } from "@portvakt/oauth";
import type { Clock, SignatureAlgorithm, Signer } from "@portvakt/oauth";
import { inOrder, planRotation } from "./rotation-plan.ts";
import type { RotationPolicy, StoredKey } from "./rotation-plan.ts";
import type { PublicJwk, SigningKeys } from "./signing-keys.ts";

/** Where rotating keys live; shared by all replicas. */
export interface SigningKeyStore {
  read(): Promise<readonly StoredKey[]>;
  /** Runs `change` with what is stored, alone among all replicas, and stores what it gives back. */
  change(
    change: (keys: readonly StoredKey[]) => Promise<readonly StoredKey[]>,
  ): Promise<readonly StoredKey[]>;
}

export interface RotatingKeysOptions extends RotationPolicy {
  readonly store: SigningKeyStore;
  readonly now: Clock;
  /** The first one signs where none is asked for. */
  readonly algorithms: readonly [SignatureAlgorithm, ...SignatureAlgorithm[]];
}

export interface RotatingSigningKeys extends SigningKeys {
  /** Takes over what other replicas did, and rotates what is due. Called at start, on a notice, and now and then. */
  refresh(): Promise<void>;
  /** Emergency: new keys sign at once, and all others are withdrawn from the key set. */
  replaceAll(): Promise<void>;
  /** Whether there is a key to sign with. */
  readonly ready: boolean;
}

/**
 * Signing keys that rotate by themselves: next (published ahead), current, previous (kept while its tokens live).
 * Which key signs is a matter of the clock and of what this process holds in memory, so signing never waits for the store, and a
 * store that is down stops no token.
 */
export function rotatingSigningKeys(options: RotatingKeysOptions): RotatingSigningKeys {
  const { store, now, algorithms } = options;
  let published: PublicJwk[] = [];
  let signers = new Map<string, Signer>();
  /** By algorithm, the one that signs last first. */
  let lines = new Map<SignatureAlgorithm, readonly StoredKey[]>();

  async function take(stored: readonly StoredKey[]): Promise<void> {
    const made = stored.map(
      async (key) => [key.kid, signers.get(key.kid) ?? (await createSigner(key.jwk))] as const,
    );
    signers = new Map(await Promise.all(made));
    published = [...signers.values()].map((signer) => signer.publicJwk);
    lines = Map.groupBy(inOrder(stored).toReversed(), ({ alg }) => alg);
  }

  function current(alg: SignatureAlgorithm): Signer | undefined {
    const at = now();
    const key = lines.get(alg)?.find(({ activeFrom }) => activeFrom <= at);
    return key && signers.get(key.kid);
  }

  let last: Promise<void> = Promise.resolve();
  /** One after the other: a read that began before a change must not be taken over after it. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  }

  async function readAndRotate(): Promise<void> {
    const stored = await store.read();
    const isDue = algorithms.some((alg) => {
      const plan = planRotation(ofAlgorithm(stored, alg), now(), options);
      return plan.create.length + plan.drop.length > 0;
    });
    await take(isDue ? await store.change((current) => rotate(current, algorithms, now(), options)) : stored);
  }

  return {
    refresh: () => inTurn(readAndRotate),
    replaceAll: () =>
      inTurn(async () => take(await store.change(() => rotate([], algorithms, now(), options)))),
    get ready() {
      return algorithms.every((alg) => current(alg) !== undefined);
    },
    signer: (alg = algorithms[0]) => {
      const signer = current(alg);
      if (signer === undefined) throw new Error(`there is no signing key for ${alg}`);
      return signer;
    },
    jwks: () => ({ keys: [...published] }),
    keySet: localKeySet(() => published),
  };
}

async function rotate(
  keys: readonly StoredKey[],
  algorithms: readonly SignatureAlgorithm[],
  now: number,
  policy: RotationPolicy,
): Promise<readonly StoredKey[]> {
  const lines = algorithms.map(async (alg) => {
    const line = ofAlgorithm(keys, alg);
    const { create, drop } = planRotation(line, now, policy);
    const made = await Promise.all(create.map((activeFrom) => newKey(alg, activeFrom)));
    return [...line.filter((key) => !drop.includes(key)), ...made];
  });
  // Keys of algorithms that are no longer asked for stay until their line is asked for again: they may have live tokens.
  const others = keys.filter((key) => !algorithms.includes(key.alg));
  return [...others, ...(await Promise.all(lines)).flat()];
}

async function newKey(alg: SignatureAlgorithm, activeFrom: number): Promise<StoredKey> {
  const jwk = await generatePrivateJwk(alg);
  const { kid } = await createSigner(jwk);
  return { kid, alg, jwk, activeFrom };
}

function ofAlgorithm(keys: readonly StoredKey[], alg: SignatureAlgorithm): readonly StoredKey[] {
  return keys.filter((key) => key.alg === alg);
}
