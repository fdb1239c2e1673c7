import type { JWK } from "jose";
import { printable } from "../form.ts";
import { isSignatureAlgorithm, signatureAlgorithms } from "./algorithms.ts";
import { importVerificationKey, type VerificationKey } from "./signature.ts";

export type KeyLookup =
  | { readonly ok: true; readonly key: VerificationKey }
  | { readonly ok: false; readonly code: "unknown_key" | "keys_unavailable"; readonly message: string };

/** The public keys of one issuer. */
export interface KeySet {
  /** Finds the key that a JWS header names. `alg` must already be known to be acceptable. */
  find(header: { readonly kid?: string; readonly alg: string }): Promise<KeyLookup>;
}

const maxKeys = 100;

/** Keys that are at hand. With a function, the list is read at each lookup, so that rotation shows at once. */
export function localKeySet(jwks: readonly JWK[] | (() => readonly JWK[])): KeySet {
  const read = typeof jwks === "function" ? jwks : () => jwks;
  let seen: readonly JWK[] | undefined;
  let index = indexKeys([]);
  return {
    async find(header) {
      const now = read();
      if (now !== seen) {
        seen = now;
        index = indexKeys(now);
      }
      const key = await index.find(header);
      return key === undefined
        ? unknownKey(header, `the ${now.length} keys of this issuer`)
        : { ok: true, key };
    },
  };
}

/** Keys indexed for lookup, each imported once per algorithm. */
export interface KeyIndex {
  readonly size: number;
  find(header: { readonly kid?: string; readonly alg: string }): Promise<VerificationKey | undefined>;
}

/**
 * Indexes the keys of a JWK Set. Keys that are not for signatures, or of another type than the algorithm's, are never
 * found (RFC 8725 section 3.1). A header without `kid` finds a key only where a single one fits.
 */
export function indexKeys(jwks: readonly JWK[]): KeyIndex {
  const usable = jwks.slice(0, maxKeys).filter((jwk) => jwk.use === undefined || jwk.use === "sig");
  const imported = new Map<JWK, Map<string, Promise<VerificationKey | undefined>>>();
  return {
    size: usable.length,
    async find({ kid, alg }) {
      const candidates = usable.filter((jwk) => (kid === undefined || jwk.kid === kid) && fits(jwk, alg));
      const [jwk] = candidates;
      if (jwk === undefined || candidates.length > 1) return undefined;
      const byAlg = imported.get(jwk) ?? new Map<string, Promise<VerificationKey | undefined>>();
      imported.set(jwk, byAlg);
      const key = byAlg.get(alg) ?? importPublic(jwk, alg);
      byAlg.set(alg, key);
      return key;
    },
  };
}

/** The refusal for a key that is not there, in words that say where it was looked for. */
export function unknownKey(header: { readonly kid?: string }, where: string): KeyLookup {
  const message =
    header.kid === undefined
      ? `the token names no key, and no single one of ${where} fits`
      : `signed by key "${printable(header.kid)}", which is not among ${where}`;
  return { ok: false, code: "unknown_key", message };
}

function fits(jwk: JWK, alg: string): boolean {
  if (!isSignatureAlgorithm(alg)) return false;
  const { kty, crv } = signatureAlgorithms[alg];
  return (
    jwk.kty === kty && (crv === undefined || jwk.crv === crv) && (jwk.alg === undefined || jwk.alg === alg)
  );
}

async function importPublic(jwk: JWK, alg: string): Promise<VerificationKey | undefined> {
  return isSignatureAlgorithm(alg) ? importVerificationKey(jwk, alg).catch(() => undefined) : undefined;
}
