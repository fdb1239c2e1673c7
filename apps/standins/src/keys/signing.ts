import {
  createSigner,
  generatePrivateJwk,
  localKeySet,
  type JWK,
  type JwtClaims,
  type KeySet,
  type Signer,
} from "@portvakt/oauth";
import type { Faults, Occasion } from "../faults/faults.ts";
import type { KeyKeeper } from "./kept-keys.ts";

type PublicJwk = Signer["publicJwk"];

/** The keys of one stand-in, and the one way in which it signs anything. */
export interface Signing {
  /** Published keys, newest first. */
  jwks(): Promise<{ keys: PublicJwk[] }>;
  /** Verifies what this stand-in issued with a key that it still publishes. */
  readonly keySet: KeySet;
  /** Replaces the signing key; the old one stays published unless `forget`. */
  rotate(options?: { forget?: boolean }): Promise<string>;
  /** Signs claims, spoiled by whatever fault was ordered for the occasion. */
  sign(claims: JwtClaims, occasion: Occasion, typ?: string): Promise<string>;
}

const maxPublished = 4;

/**
 * Makes the keys of a stand-in. RSA keys take a moment to find, so that start does not wait for them: the first use does.
 */
export function createSigning(faults: Faults, keeper?: KeyKeeper): Signing {
  let keys: readonly JWK[] = [];
  const use = async (next: readonly JWK[]): Promise<readonly Signer[]> => {
    keys = next.slice(0, maxPublished);
    await keeper?.write(keys);
    return Promise.all(keys.map(createSigner));
  };
  const begin = async (): Promise<readonly Signer[]> => {
    const kept = (await keeper?.read()) ?? [];
    return use(kept.length > 0 ? kept : [await generatePrivateJwk("RS256")]);
  };
  let signers = begin();
  // Whoever asks for a key first hears of a file that cannot be used.
  signers.catch(() => {});
  let published: readonly PublicJwk[] = [];
  let stranger: Promise<Signer> | undefined;
  const ready = async (): Promise<readonly Signer[]> => {
    const current = await signers;
    if (published[0] !== current[0]?.publicJwk || published.length !== current.length)
      published = current.map((signer) => signer.publicJwk);
    return current;
  };
  const local = localKeySet(() => published);
  return {
    jwks: async () => ({ keys: (await ready()).map((signer) => signer.publicJwk) }),
    keySet: { find: async (header) => (await ready(), local.find(header)) },
    async rotate({ forget = false } = {}) {
      await signers;
      const next = await generatePrivateJwk("RS256");
      signers = use([next, ...(forget ? [] : keys)]);
      return (await signers)[0]?.kid ?? "";
    },
    async sign(claims, occasion, typ = "JWT") {
      const [own] = await ready();
      if (own === undefined) throw new Error("a stand-in always has a key");
      const { spoiled, key } = faults.spoil(claims, occasion);
      if (key === "own") return own.sign(spoiled, { typ });
      stranger ??= generatePrivateJwk("RS256").then(createSigner);
      const other = await stranger;
      if (key === "unpublished") return other.sign(spoiled, { typ });
      // A signature by another key under a published key's name: createSigner would name its own.
      return renamed(await other.sign(spoiled, { typ }), await own.sign(spoiled, { typ }));
    },
  };
}

/** Header and claims of `right` with the signature of `wrong`. */
function renamed(wrong: string, right: string): string {
  const signature = wrong.split(".")[2] ?? "";
  return [...right.split(".").slice(0, 2), signature].join(".");
}
