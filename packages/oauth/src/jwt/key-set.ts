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

/** More than any issuer has; a larger set is cut. */
const maxKeys = 1_000;

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
      return (
        index.known(header) ?? index.find(header).then((found) => found ?? unknownKey(header, index, among))
      );
    },
  };
}

/** Keys indexed for lookup, each imported once per algorithm. */
export interface KeyIndex {
  readonly size: number;
  /** The keys, other than each other, that the header may mean. */
  fitting(header: { readonly kid?: string; readonly alg: string }): readonly JWK[];
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
  const fitting: KeyIndex["fitting"] = ({ kid, alg }) => {
    const fit = usable.filter((jwk) => (kid === undefined || jwk.kid === kid) && fits(jwk, alg));
    return fit.filter((jwk, index) => fit.findIndex((other) => isSameKey(jwk, other)) === index);
  };
  const nameOf = ({ kid, alg }: { kid?: string; alg: string }): string =>
    kid === undefined ? alg : `${kid.length} ${kid} ${alg}`;
  return {
    size: usable.length,
    fitting,
    known: (header) => found.get(nameOf(header)),
    async find(header) {
      const [jwk, ...others] = fitting(header);
      if (jwk === undefined || others.length > 0) return undefined;
      const key = await importPublic(jwk, header.alg);
      if (key === undefined) return undefined;
      const name = nameOf(header);
      const one = found.get(name) ?? { ok: true, key };
      found.set(name, one);
      return one;
    },
  };
}

/** The refusal for a key that is not there, in words that say where it was looked for. */
export function unknownKey(
  header: { readonly kid?: string; readonly alg: string },
  index: KeyIndex,
  where: string,
): KeyLookup {
  const { kid } = header;
  const isOneOfSeveral = index.fitting(header).length > 1;
  const message =
    kid === undefined
      ? `the token names no key, and no single one of ${where} fits`
      : `signed by key "${printable(kid)}", which is ${isOneOfSeveral ? "several" : "not"} among ${where}`;
  return { ok: false, code: "unknown_key", message };
}

const keyParts = ["kty", "crv", "n", "e", "x", "y"] as const;

/** Some list a key once for each of its uses. */
function isSameKey(one: JWK, other: JWK): boolean {
  return keyParts.every((part) => one[part] === other[part]);
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
