import { localKeySet } from "@portvakt/oauth";
import type { KeySet, SignatureAlgorithm, Signer } from "@portvakt/oauth";

/** A public key as it is published (RFC 7517). */
export type PublicJwk = Signer["publicJwk"];

/** What signs the tokens of a server, and what others verify them with. */
export interface SigningKeys {
  /** The key in use now for an algorithm; absent = the server's first. Throws when it has none. */
  signer(alg?: SignatureAlgorithm): Signer;
  /** The published key set: every key that a live token may be signed with, and those about to be used. */
  jwks(): { keys: PublicJwk[] };
  /** Verifies what this server signed. */
  readonly keySet: KeySet;
}

/** Keys that never change, the first one first: for stand-ins and tests. */
export function fixedSigningKeys(signers: readonly [Signer, ...Signer[]]): SigningKeys {
  const published = signers.map((signer) => signer.publicJwk);
  return {
    signer: (alg) => {
      const found = alg === undefined ? signers[0] : signers.find((signer) => signer.alg === alg);
      if (found === undefined) throw new Error(`there is no signing key for ${alg}`);
      return found;
    },
    jwks: () => ({ keys: [...published] }),
    keySet: localKeySet(published),
  };
}
