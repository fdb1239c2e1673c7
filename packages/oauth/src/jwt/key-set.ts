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
  find(header: { readonly kid?: string; readonly alg: string }): KeyLookup | Promise<KeyLookup>;
}

const maxKeys = 100;

/** Keys that are at hand. With a function, the list is read at each lookup, so that rotation shows at once. */
export function localKeySet(jwks: readonly JWK[] | (() => readonly JWK[])): KeySet {
  const read = typeof jwks === "function" ? jwks : () => jwks;
  let seen: readonly JWK[] | undefined;
  let index = indexKeys([]);
  return {
    find(header) {
      const now = read();
      if (now !== seen) {
        seen = now;
        index = indexKeys(now);
      }
      const among = `the ${now.length} keys of this issuer`;
      return index.known(header) ?? index.find(header).then((found) => found ?? unknownKey(header, among));
    },
  };
}

/** Keys indexed for lookup, each imported once per algorithm. */
export interface KeyIndex {
  readonly size: number;
  find(header: { readonly kid?: string; readonly alg: string }): Promise<FoundKey | undefined>;
  /** What `find` has found before, at once. */
  known(header: { readonly kid?: string; readonly alg: string }): FoundKey | undefined;
}

type FoundKey = Extract<KeyLookup, { ok: true }>;

/**
 * Indexes the keys of a JWK Set. Keys that are not for signatures, or of another type than the algorithm's, are never
 * found (RFC 8725 section 3.1). A header without `kid` finds a key only where a single one fits.
 */
export function indexKeys(jwks: readonly JWK[]): KeyIndex {
  const usable = jwks.slice(0, maxKeys).filter((jwk) => jwk.use === undefined || jwk.use === "sig");
  const found = new Map<string, FoundKey>();
  const nameOf = ({ kid, alg }: { kid?: string; alg: string }): string =>
    kid === undefined ? alg : `${kid.length} ${kid} ${alg}`;
  return {
    size: usable.length,
    known: (header) => found.get(nameOf(header)),
    async find(header) {
      const { kid, alg } = header;
      const candidates = usable.filter((jwk) => (kid === undefined || jwk.kid === kid) && fits(jwk, alg));
      const [jwk] = candidates;
      if (jwk === undefined || candidates.length > 1) return undefined;
      const key = await importPublic(jwk, alg);
      if (key === undefined) return undefined;
      const name = nameOf(header);
      const one = found.get(name) ?? { ok: true, key };
      found.set(name, one);
      return one;
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
