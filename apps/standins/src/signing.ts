import {
  createSigner,
  generatePrivateJwk,
  localKeySet,
  type JwtClaims,
  type KeySet,
  type Signer,
} from "@portvakt/oauth";
import type { Faults, Occasion } from "./faults/faults.ts";

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
export function createSigning(faults: Faults): Signing {
  const fresh = async (): Promise<Signer> => createSigner(await generatePrivateJwk("RS256"));
  let signers: Promise<readonly Signer[]> = fresh().then((signer) => [signer]);
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
      const old = forget ? [] : await signers;
      const next = await fresh();
      signers = Promise.resolve([next, ...old].slice(0, maxPublished));
      return next.kid;
    },
    async sign(claims, occasion, typ = "JWT") {
      const [own] = await ready();
      if (own === undefined) throw new Error("a stand-in always has a key");
      const { spoiled, key } = faults.spoil(claims, occasion);
      if (key === "own") return own.sign(spoiled, { typ });
      stranger ??= fresh();
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
